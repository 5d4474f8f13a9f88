// What a cubin says about its kernels.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "devices/compiler.h"

namespace kiln::devices {

// Registers and scratchpad from the file, stack and spills from what ptxas -v printed (`log`); no
// instruction counts. FAILED_PRECONDITION names an entry that either knows nothing of.
StatusOr<std::vector<ResourceUse>> read_cubin(std::string_view cubin, std::string_view log,
                                              std::span<const std::string> entries);

}  // namespace kiln::devices
