#include <sched.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/host/cgroup.h"
#include "runtime/host/thread_pool.h"

namespace kiln::runtime {
namespace {

int cpus_in_affinity() {
  // The kernel refuses masks smaller than its own; grow until it fits.
  for (size_t cpus = 1024; cpus <= 1 << 20; cpus *= 4) {
    std::vector<cpu_set_t> mask(cpus / CPU_SETSIZE);
    const size_t bytes = mask.size() * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, mask.data()) == 0) return CPU_COUNT_S(bytes, mask.data());
  }
  return 1;
}

}  // namespace

int usable_cpus() {
  int cpus = cpus_in_affinity();
  if (std::optional<double> quota = Cgroup().cpu_quota()) {
    cpus = int(std::min(double(cpus), std::ceil(*quota)));
  }
  return std::max(cpus, 1);
}

}  // namespace kiln::runtime
