// The pool that runs host kernels: spins briefly after a launch, then yields, then sleeps on a
// futex.
//
// run() may be called from several threads; calls take turns. The calling thread works too. Workers
// survive fork() only in the parent: a child makes its own pool.

#pragma once

#include <memory>

#include "runtime/parallel_for.h"

namespace kiln::runtime {

class ThreadPool : public ParallelFor {
 public:
  // 0: usable_cpus().
  explicit ThreadPool(int workers = 0);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int workers() const override;
  void run(int64_t total, Body body, void* context) override;

  // The process-wide pool, made at first use (again after fork).
  static ThreadPool& shared();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Processors that this process may use: the smaller of its affinity mask and its cgroup CPU quota
// rounded up; at least 1.
int usable_cpus();

}  // namespace kiln::runtime
