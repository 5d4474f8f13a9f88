// Keeps the workers of a pool on processors of their own.
//
// A thread that wakes up is often put on the processor of the thread that woke it, and on a busy
// machine left there: two threads that should work side by side then take turns. So every worker is
// bound to one processor, and the caller, who is never bound, to none: when the system has moved
// the caller to a worker's processor, that worker gets the one that the caller left.
//
// Only a pool that fills its process's affinity mask is placed; a smaller one is left to the
// system, which may know better which processors are idle.

#pragma once

#include <sys/types.h>

#include <vector>

namespace kiln::runtime {

// The processors in the calling thread's affinity mask, ascending; at least one.
std::vector<int> allowed_cpus();

class Placement {
 public:
  // Binds threads (kernel ids) if there is a processor for each of them and one more for the
  // caller.
  void bind(const std::vector<pid_t>& threads);
  // To be called before every launch by the thread that launches. Cheap when nothing has moved.
  void make_room_for_caller();

 private:
  struct Home {
    pid_t thread;
    int cpu;
  };
  std::vector<Home> homes_;  // empty: not placed
  int callers_cpu_ = -1;
};

}  // namespace kiln::runtime
