// Files that commands write: whole or not at all.

#pragma once

#include <string>
#include <string_view>

#include "core/status.h"

namespace kiln::tunectl {

// Writes beside `path` and renames, so that a reader sees the old content or the new.
Status write_file(const std::string& path, std::string_view content);

// Makes a folder unless it is there; its parent must be.
Status make_directory(const std::string& path);

}  // namespace kiln::tunectl
