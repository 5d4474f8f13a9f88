// Kernels become cubins or PTX by NVRTC, in the process of kiln-rtc.

#pragma once

#include <string>

#include "devices/compile/backend.h"
#include "devices/gpu/architecture.h"

namespace kiln::devices {

class NvrtcBackend : public Backend {
 public:
  explicit NvrtcBackend(const GpuArchitecture& architecture) : target_(target_of(architecture)) {}

  const Target& target() const override { return target_; }
  Lowering lowering() const override { return {.header = "tile/cuda.h", .separate_entries = true}; }
  std::string flags() const override;
  StatusOr<std::string> version() const override;
  StatusOr<Build> build(const BuildJob& job) const override;

 private:
  Target target_;
};

}  // namespace kiln::devices
