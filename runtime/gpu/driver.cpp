#include "runtime/gpu/driver.h"

#include "runtime/cuda/cuda_driver.h"
#include "runtime/hip/hip_driver.h"

namespace kiln::runtime {

StatusOr<std::unique_ptr<GpuDriver>> open_gpu_driver(std::string_view kind) {
  if (kind == "cuda") return open_cuda_driver();
  if (kind == "hip") return open_hip_driver();
  return invalid_field("driver", kind, "cuda or hip");
}

}  // namespace kiln::runtime
