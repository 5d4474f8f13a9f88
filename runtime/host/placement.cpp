#include "runtime/host/placement.h"

#include <sched.h>

#include <algorithm>
#include <utility>

namespace kiln::runtime {
namespace {

// A mask as large as the kernel wants it.
class CpuMask {
 public:
  explicit CpuMask(size_t cpus) : words_((cpus + CPU_SETSIZE - 1) / CPU_SETSIZE) {}
  size_t cpus() const { return words_.size() * CPU_SETSIZE; }
  size_t bytes() const { return words_.size() * sizeof(cpu_set_t); }
  cpu_set_t* data() { return words_.data(); }
  bool contains(size_t cpu) const { return CPU_ISSET_S(cpu, bytes(), words_.data()); }
  void add(size_t cpu) { CPU_SET_S(cpu, bytes(), words_.data()); }

 private:
  std::vector<cpu_set_t> words_;
};

void bind_thread(pid_t thread, int cpu) {
  CpuMask mask(size_t(cpu) + 1);
  mask.add(size_t(cpu));
  // Refused (a processor taken away meanwhile), the thread stays where it was: slower, not wrong.
  (void)sched_setaffinity(thread, mask.bytes(), mask.data());
}

}  // namespace

std::vector<int> allowed_cpus() {
  constexpr size_t kMostCpus = 1 << 20;
  // The kernel refuses masks smaller than its own; grow until it fits.
  for (size_t cpus = CPU_SETSIZE; cpus <= kMostCpus; cpus *= 4) {
    CpuMask mask(cpus);
    if (sched_getaffinity(0, mask.bytes(), mask.data()) != 0) continue;
    std::vector<int> allowed;
    for (size_t cpu = 0; cpu < mask.cpus(); ++cpu) {
      if (mask.contains(cpu)) allowed.push_back(int(cpu));
    }
    return allowed;
  }
  return {0};
}

void Placement::bind(const std::vector<pid_t>& threads) {
  std::vector<int> cpus = allowed_cpus();
  if (threads.empty() || cpus.size() != threads.size() + 1) return;
  const auto here = std::ranges::find(cpus, sched_getcpu());
  callers_cpu_ = here == cpus.end() ? cpus.front() : *here;
  std::erase(cpus, callers_cpu_);
  for (size_t i = 0; i < threads.size(); ++i) {
    homes_.push_back({threads[i], cpus[i]});
    bind_thread(threads[i], cpus[i]);
  }
}

void Placement::make_room_for_caller() {
  if (homes_.empty()) return;
  const int here = sched_getcpu();
  if (here == callers_cpu_) return;
  const auto taken = std::ranges::find(homes_, here, &Home::cpu);
  if (taken == homes_.end()) return;  // a caller from outside the pool's processors
  std::swap(taken->cpu, callers_cpu_);
  bind_thread(taken->thread, taken->cpu);
}

}  // namespace kiln::runtime
