// What an AMD code object says about its kernels, in the notes that its loader reads.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "devices/compiler.h"

namespace kiln::devices {

// No instruction counts. FAILED_PRECONDITION when the file carries no such notes or lacks an entry.
// Source: LLVM, "User Guide for AMDGPU", Code Object V3 and later, Metadata.
StatusOr<std::vector<ResourceUse>> read_code_object(std::string_view file,
                                                    std::span<const std::string> entries);

}  // namespace kiln::devices
