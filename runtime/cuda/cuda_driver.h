// NVIDIA's driver: libcuda.

#pragma once

#include <memory>

#include "runtime/gpu/driver.h"

namespace kiln::runtime {

StatusOr<std::unique_ptr<GpuDriver>> open_cuda_driver();

}  // namespace kiln::runtime
