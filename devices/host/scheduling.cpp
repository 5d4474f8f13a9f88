#include "devices/host/scheduling.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace kiln::devices {
namespace {

constexpr uint64_t kLongestSliceNs = 100'000'000;

// The kernel's struct sched_attr in its first form; the C library of Debian 12 has none.
struct SchedulingAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t niceness;
  uint32_t priority;
  uint64_t runtime_ns;  // of ordinary threads: the slice; older kernels ignore it
  uint64_t deadline_ns;
  uint64_t period_ns;
};
static_assert(sizeof(SchedulingAttributes) == 48, "the layout is the kernel's");

}  // namespace

void give_way(int niceness) {
  const int policy = sched_getscheduler(0);
  if (policy != SCHED_OTHER && policy != SCHED_BATCH) return;  // somebody decided otherwise
  const int before = getpriority(PRIO_PROCESS, 0);
  SchedulingAttributes attributes = {.size = sizeof attributes,
                                     .policy = uint32_t(policy),
                                     .flags = 0,
                                     .niceness = std::max(niceness, before),
                                     .priority = 0,
                                     .runtime_ns = kLongestSliceNs,
                                     .deadline_ns = 0,
                                     .period_ns = 0};
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace kiln::devices
