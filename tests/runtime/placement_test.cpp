#include "runtime/host/placement.h"

#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

namespace kiln::runtime {
namespace {

// Threads that wait until they may end, and their kernel ids.
class Sleepers {
 public:
  explicit Sleepers(size_t count) : ids_(count) {
    for (size_t i = 0; i < count; ++i) {
      threads_.emplace_back([this, i] {
        ids_[i] = gettid();
        ++ready_;
        ready_.notify_all();
        end_.wait(false);
      });
    }
    for (size_t ready; (ready = ready_) != count;)
      ready_.wait(ready);
  }
  ~Sleepers() {
    end_ = true;
    end_.notify_all();
  }
  const std::vector<pid_t>& ids() const { return ids_; }

 private:
  std::vector<pid_t> ids_;
  std::atomic<size_t> ready_{0};
  std::atomic<bool> end_{false};
  std::vector<std::jthread> threads_;
};

std::set<int> cpus_of(pid_t thread) {
  cpu_set_t mask;
  REQUIRE(sched_getaffinity(thread, sizeof mask, &mask) == 0);
  std::set<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &mask)) cpus.insert(cpu);
  }
  return cpus;
}

TEST_CASE("A pool that fills the machine has a processor for every worker") {
  const std::vector<int> allowed = allowed_cpus();
  if (allowed.size() < 2 || allowed.back() >= CPU_SETSIZE) return;  // nothing to place
  const Sleepers workers(allowed.size() - 1);
  Placement placement;
  placement.bind(workers.ids());
  placement.make_room_for_caller();
  std::set<int> taken;
  for (pid_t worker : workers.ids()) {
    const std::set<int> cpus = cpus_of(worker);
    REQUIRE(cpus.size() == 1);
    CHECK(taken.insert(*cpus.begin()).second);
  }
}

TEST_CASE("A worker makes room for a caller that has moved to its processor") {
  const std::vector<int> allowed = allowed_cpus();
  if (allowed.size() < 2 || allowed.back() >= CPU_SETSIZE) return;
  const Sleepers workers(allowed.size() - 1);
  std::jthread caller([&] {
    Placement placement;
    placement.bind(workers.ids());
    const int target = *cpus_of(workers.ids()[0]).begin();
    cpu_set_t mask;
    CPU_ZERO(&mask);
    CPU_SET(target, &mask);
    REQUIRE(sched_setaffinity(0, sizeof mask, &mask) == 0);
    placement.make_room_for_caller();
    CHECK(cpus_of(workers.ids()[0]).count(target) == 0);
  });
}

TEST_CASE("A pool that does not fit the machine is left to the system") {
  const Sleepers workers(allowed_cpus().size() + 1);
  Placement placement;
  placement.bind(workers.ids());
  CHECK(cpus_of(workers.ids()[0]).size() == allowed_cpus().size());
}

}  // namespace
}  // namespace kiln::runtime
