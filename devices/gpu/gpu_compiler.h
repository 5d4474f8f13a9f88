// The compiler for a GPU architecture, whichever vendor's.

#pragma once

#include <memory>

#include "devices/compiler.h"
#include "devices/gpu/architecture.h"

namespace kiln::devices {

// `target`: the architecture's, with what is known of a real device.
std::unique_ptr<Compiler> open_gpu_compiler(const GpuArchitecture& architecture,
                                            const Target& target, const CompilerOptions& options);

}  // namespace kiln::devices
