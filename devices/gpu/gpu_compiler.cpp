#include "devices/gpu/gpu_compiler.h"

#include "devices/compile/source_compiler.h"
#include "devices/cuda/nvrtc_backend.h"
#include "devices/hip/hip_backend.h"

namespace kiln::devices {

std::unique_ptr<Compiler> open_gpu_compiler(const GpuArchitecture& architecture,
                                            const Target& target, const CompilerOptions& options,
                                            const std::string& driver) {
  std::unique_ptr<Backend> backend;
  if (architecture.kind == "cuda") {
    backend = std::make_unique<NvrtcBackend>(target);
  } else {
    backend = std::make_unique<HipBackend>(target, options.compiler);
  }
  return std::make_unique<SourceCompiler>(std::move(backend), options.sources,
                                          options.cache_directory, driver);
}

}  // namespace kiln::devices
