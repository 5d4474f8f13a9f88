// The compiler for a GPU architecture, whichever vendor's.

#pragma once

#include <memory>

#include "devices/compiler.h"
#include "devices/gpu/architecture.h"

namespace kiln::devices {

// `target`: the architecture's, with what is known of a real device. `driver`: what loads the code
// there, "CUDA driver 12.8"; part of the version, since a newer one may run the same code
// otherwise.
std::unique_ptr<Compiler> open_gpu_compiler(const GpuArchitecture& architecture,
                                            const Target& target, const CompilerOptions& options,
                                            const std::string& driver = "");

}  // namespace kiln::devices
