#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "tuner/strategies/gaussian_process_search.h"
#include "tuner/strategies/simple.h"
#include "tuner/strategy.h"

namespace kiln::tuner {
namespace {

// Spaces up to this size are tried whole: a model needs almost as many points to be built.
constexpr size_t kExhaustiveSize = 16;

}  // namespace

std::vector<std::string_view> strategy_names() {
  return {"default", "exhaustive", "random", "gaussian_process"};
}

StatusOr<std::unique_ptr<Strategy>> make_strategy(std::string_view name, const Space& space,
                                                  const std::vector<std::vector<uint16_t>>& points,
                                                  const StrategyOptions& options) {
  for (const size_t point : options.first) {
    if (point >= points.size()) return absl::InvalidArgumentError("first point outside the space");
  }
  if (name == "default") {
    name = points.size() <= kExhaustiveSize ? "exhaustive" : "gaussian_process";
  }
  if (name == "gaussian_process") {
    return std::make_unique<GaussianProcessSearch>(space, points, options);
  }
  if (name == "exhaustive" || name == "random") {
    std::vector<size_t> order(points.size());
    std::iota(order.begin(), order.end(), size_t{0});
    if (name == "random") {
      std::mt19937_64 random(options.seed);
      for (size_t i = order.size(); i > 1; --i)
        std::swap(order[i - 1], order[random() % i]);
    }
    return std::make_unique<OrderedSearch>(points.size(), options.first, std::move(order));
  }
  return invalid_field("strategy", name,
                       fmt::format("one of {}", fmt::join(strategy_names(), ", ")));
}

}  // namespace kiln::tuner
