// AMD's run time: libamdhip64, and what the kernel says about devices.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/gpu/driver.h"

namespace kiln::runtime {

StatusOr<std::unique_ptr<GpuDriver>> open_hip_driver();

// A GPU as the kernel's driver describes it in sysfs, in the order in which HIP counts them.
struct KfdNode {
  std::string architecture;  // "gfx942"
  int compute_units = 0;
  int64_t scratchpad_bytes = 0;
  int64_t l2_bytes = 0;
};
// `root` stands before the paths read. Empty where there is no such driver.
std::vector<KfdNode> kfd_nodes(const std::string& root = "");

}  // namespace kiln::runtime
