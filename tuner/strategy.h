// How a search decides what to try next.
//
//     while (budget) {
//       auto batch = strategy->ask(4);
//       for (auto i : batch) strategy->tell(i, measure(points[i]));
//     }
//
// A strategy is deterministic for a seed and a sequence of answers. Points are indices into the
// enumerated space. Single-threaded.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/space.h"
#include "core/status.h"

namespace kiln::tuner {

class Strategy {
 public:
  virtual ~Strategy() = default;
  // Up to `count` points not asked before; fewer, or none, when the search is over.
  virtual std::vector<size_t> ask(size_t count) = 0;
  // Time of a point in ns; nullopt: it failed.
  virtual void tell(size_t point, std::optional<double> time_ns) = 0;
  // True once more evaluations are not expected to pay (the strategy's own stop rule).
  virtual bool converged() const = 0;
};

struct StrategyOptions {
  uint64_t seed = 1;
  std::vector<size_t> first;  // points to try first: the default, winners of similar problems
};

// "exhaustive", "random", "gaussian_process" or "default" (exhaustive for small spaces, otherwise
// gaussian_process). `points` as Space::enumerate() gives them; both outlive the strategy.
StatusOr<std::unique_ptr<Strategy>> make_strategy(std::string_view name, const Space& space,
                                                  const std::vector<std::vector<uint16_t>>& points,
                                                  const StrategyOptions& options);
std::vector<std::string_view> strategy_names();

}  // namespace kiln::tuner
