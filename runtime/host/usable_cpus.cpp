#include <algorithm>
#include <cmath>

#include "runtime/host/cgroup.h"
#include "runtime/host/placement.h"
#include "runtime/host/thread_pool.h"

namespace kiln::runtime {

int usable_cpus() {
  int cpus = int(allowed_cpus().size());
  if (std::optional<double> quota = Cgroup().cpu_quota()) {
    cpus = int(std::min(double(cpus), std::ceil(*quota)));
  }
  return std::max(cpus, 1);
}

}  // namespace kiln::runtime
