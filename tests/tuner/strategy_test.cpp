#include "tuner/strategy.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

namespace kiln::tuner {
namespace {

// A landscape like a kernel's: a valley across two parameters, a preference for powers of two, a
// region that does not compile.
struct Landscape {
  Space space{1,
              {{"rows", "", {8, 16, 24, 32, 48, 64, 96, 128}},
               {"columns", "", {16, 32, 48, 64, 96, 128, 192, 256}},
               {"unroll", "", {1, 2, 4}},
               {"staged", "", {0, 1}}},
              {}};
  std::vector<std::vector<uint16_t>> points = *space.enumerate();

  std::optional<double> time(size_t point) const {
    const Config config = space.config(points[point]);
    const double rows = std::log2(static_cast<double>(config.at("rows")));
    const double columns = std::log2(static_cast<double>(config.at("columns")));
    if (rows + columns > 14) return std::nullopt;
    const double odd = config.at("rows") % 32 == 0 ? 0 : 0.1;
    return 1e6 * std::exp(0.1 * std::pow(rows + columns - 12, 2) + 0.05 * std::pow(rows - 6, 2) +
                          odd + 0.02 * static_cast<double>(config.at("unroll")) +
                          0.1 * static_cast<double>(config.at("staged")));
  }

  double optimum() const {
    double best = INFINITY;
    for (size_t i = 0; i < points.size(); ++i)
      best = std::min(best, time(i).value_or(INFINITY));
    return best;
  }
};

struct Trace {
  std::vector<size_t> asked;
  double best = INFINITY;
};

Trace search(const Landscape& landscape, std::string_view name, size_t evaluations, size_t batch,
             const StrategyOptions& options = {}) {
  auto strategy = make_strategy(name, landscape.space, landscape.points, options);
  REQUIRE(strategy.ok());
  Trace trace;
  while (trace.asked.size() < evaluations) {
    const std::vector<size_t> points = (*strategy)->ask(batch);
    if (points.empty()) break;
    for (const size_t point : points) {
      trace.asked.push_back(point);
      const std::optional<double> time = landscape.time(point);
      if (time) trace.best = std::min(trace.best, *time);
      (*strategy)->tell(point, time);
    }
  }
  return trace;
}

}  // namespace

TEST_CASE("every strategy visits each point at most once and ends") {
  const Landscape landscape;
  for (const char* name : {"exhaustive", "random", "gaussian_process"}) {
    INFO(name);
    const Trace trace = search(landscape, name, 10'000, 7);
    CHECK(std::set<size_t>(trace.asked.begin(), trace.asked.end()).size() == trace.asked.size());
    CHECK(trace.asked.size() == landscape.points.size());
    CHECK(trace.best == landscape.optimum());
  }
}

TEST_CASE("a strategy repeats itself for a seed") {
  const Landscape landscape;
  for (const char* name : {"random", "gaussian_process"}) {
    INFO(name);
    const auto run = [&](uint64_t seed) {
      return search(landscape, name, 40, 3, {.seed = seed, .first = {}}).asked;
    };
    CHECK(run(5) == run(5));
    CHECK(run(5) != run(6));
  }
}

TEST_CASE("the model finds the optimum's neighbourhood within a tenth of the space") {
  const Landscape landscape;
  for (const size_t batch : {1, 4}) {
    INFO("batch " << batch);
    const Trace trace = search(landscape, "gaussian_process", 40, batch);
    CHECK(landscape.optimum() / trace.best > 0.97);
  }
}

TEST_CASE("the model's search says when it is done") {
  const Landscape landscape;
  auto strategy = *make_strategy("gaussian_process", landscape.space, landscape.points, {});
  size_t evaluations = 0;
  while (!strategy->converged()) {
    for (const size_t point : strategy->ask(1)) {
      strategy->tell(point, landscape.time(point));
      ++evaluations;
    }
  }
  CHECK(evaluations >= 30);
  CHECK(evaluations < 200);
}

TEST_CASE("first points come first, known points are not asked") {
  const Landscape landscape;
  auto strategy =
      *make_strategy("gaussian_process", landscape.space, landscape.points, {1, {17, 3, 17}});
  strategy->tell(3, landscape.time(3));
  CHECK(strategy->ask(1) == std::vector<size_t>{17});
  for (const size_t point : strategy->ask(100))
    CHECK((point != 3 && point != 17));
}

TEST_CASE("a space in which nothing works is searched to its end") {
  const Landscape landscape;
  auto strategy = *make_strategy("gaussian_process", landscape.space, landscape.points, {});
  size_t evaluations = 0;
  while (!strategy->converged()) {
    for (const size_t point : strategy->ask(5)) {
      strategy->tell(point, std::nullopt);
      ++evaluations;
    }
  }
  CHECK(evaluations == landscape.points.size());
}

TEST_CASE("an unknown strategy is refused with the known names") {
  const Landscape landscape;
  const auto strategy = make_strategy("greedy", landscape.space, landscape.points, {});
  CHECK(std::string(strategy.status().message()) ==
        "strategy = greedy: expected one of default, exhaustive, random, gaussian_process");
}

}  // namespace kiln::tuner
