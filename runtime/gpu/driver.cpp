#include "runtime/gpu/driver.h"

#include <array>
#include <mutex>
#include <utility>

#include "runtime/cuda/cuda_driver.h"
#include "runtime/hip/hip_driver.h"

namespace kiln::runtime {

StatusOr<std::unique_ptr<GpuDriver>> open_gpu_driver(std::string_view kind) {
  if (kind == "cuda") return open_cuda_driver();
  if (kind == "hip") return open_hip_driver();
  return invalid_field("driver", kind, "cuda or hip");
}

StatusOr<GpuDriver*> process_gpu_driver(std::string_view kind) {
  // Never destroyed: drivers do not survive it.
  struct Opened {
    std::mutex mutex;
    std::array<GpuDriver*, 2> drivers{};
  };
  static auto& opened = *new Opened;
  const std::lock_guard lock(opened.mutex);
  GpuDriver*& driver = opened.drivers[kind == "hip" ? 1 : 0];
  if (driver == nullptr || (kind != "cuda" && kind != "hip")) {
    KILN_ASSIGN_OR_RETURN(auto made, open_gpu_driver(kind));
    driver = made.release();
  }
  return driver;
}

}  // namespace kiln::runtime
