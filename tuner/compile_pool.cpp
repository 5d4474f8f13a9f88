#include "tuner/compile_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "runtime/host/thread_pool.h"

namespace kiln::tuner {

CompilePool::CompilePool(const devices::Compiler& compiler, int processes)
    : compiler_(compiler), processes_(processes > 0 ? processes : runtime::usable_cpus()) {}

std::vector<Compiled> CompilePool::compile(std::span<const KernelSource> sources, int niceness,
                                           std::stop_token stop) const {
  std::vector<Compiled> results(sources.size(), Compiled{absl::CancelledError("stopped")});
  std::atomic<size_t> next = 0;
  devices::CompileOptions options;
  options.niceness = niceness;
  options.stop = stop;
  const auto work = [&] {
    for (size_t i; (i = next++) < sources.size() && !stop.stop_requested();) {
      const auto start = std::chrono::steady_clock::now();
      StatusOr<devices::Compilation> made = compiler_.compile(sources[i], options);
      const std::chrono::duration<double, std::milli> took =
          std::chrono::steady_clock::now() - start;
      results[i].ms = took.count();
      if (made.ok()) {
        results[i].artifact = std::move(made->artifact);
        results[i].entries = std::move(made->entries);
      } else {
        results[i].artifact = made.status();
      }
    }
  };
  std::vector<std::jthread> helpers;
  const size_t threads = std::min(sources.size(), size_t(processes_));
  for (size_t i = 1; i < threads; ++i)
    helpers.emplace_back(work);
  work();
  helpers.clear();  // joins
  return results;
}

}  // namespace kiln::tuner
