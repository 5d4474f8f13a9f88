#include "benchmarks/bridge/probes.h"

#include <chrono>
#include <string>

#include "runtime/host/instruction_set.h"
#include "runtime/host/thread_pool.h"

namespace kiln::bench {
namespace {

constexpr int64_t kCaches = 4;  // size of the buffer in last-level caches

}  // namespace

Probes::Probes(const Target& target)
    : buffer_(size_t(kCaches * target.llc_bytes)),
      probe_(runtime::best_instruction_set(), buffer_) {}

StatusOr<double> Probes::rate(std::string_view kind, double milliseconds) {
  const std::chrono::nanoseconds length(int64_t(milliseconds * 1e6));
  auto& pool = runtime::ThreadPool::shared();
  if (kind == "f32") return probe_.fma(pool, length);
  if (kind == "read") return probe_.read(pool, length);
  if (kind == "copy") return probe_.copy(pool, length);
  if (kind == "bf16") {
    const double rate = probe_.bf16_dot(pool, length);
    if (rate > 0) return rate;
  }
  return absl::UnimplementedError("no probe of " + std::string(kind) + " here");
}

}  // namespace kiln::bench
