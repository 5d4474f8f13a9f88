// A config as it is written on the command line.

#pragma once

#include <string>

#include "core/space.h"
#include "core/status.h"

namespace kiln::tunectl {

// "block_m=64 lanes=rows": values or labels; parameters left out keep what `base` has.
// INVALID_ARGUMENT names the parameter, the value and what the space has.
StatusOr<Config> read_config(const Space& space, const Config& base, const std::string& text);

}  // namespace kiln::tunectl
