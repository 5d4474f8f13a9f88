// Kernels become cubins or PTX by NVRTC, in the process of kiln-rtc.

#pragma once

#include <string>
#include <utility>

#include "devices/compile/backend.h"

namespace kiln::devices {

class NvrtcBackend : public Backend {
 public:
  explicit NvrtcBackend(Target target) : target_(std::move(target)) {}

  const Target& target() const override { return target_; }
  Lowering lowering() const override { return {.header = "tile/cuda.h", .separate_entries = true}; }
  std::string flags() const override;
  StatusOr<std::string> version() const override;
  StatusOr<Build> build(const BuildJob& job) const override;

 private:
  Target target_;
};

}  // namespace kiln::devices
