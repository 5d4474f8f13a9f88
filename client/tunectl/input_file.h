// Files that commands read, in whole.

#pragma once

#include <cstddef>
#include <string>

#include "core/status.h"

namespace kiln::tunectl {

// What `path` holds, up to one byte more than `max_bytes`, so that callers see that it is too
// large. The message names the file and what is wrong with it.
StatusOr<std::string> read_file(const std::string& path, size_t max_bytes);

}  // namespace kiln::tunectl
