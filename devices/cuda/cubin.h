// What a cubin says about its kernels.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "devices/compiler.h"

namespace kiln::devices {

// What its entries take, from what ptxas -v printed (`log`) when it made the file: sections of
// cubins hold the same, but in other places from version to version. No instruction counts.
// FAILED_PRECONDITION names an entry that the file or the log lacks.
StatusOr<std::vector<ResourceUse>> read_cubin(std::string_view cubin, std::string_view log,
                                              std::span<const std::string> entries);

}  // namespace kiln::devices
