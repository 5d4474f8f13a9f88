#include "tuner/statistics.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "core/random.h"

namespace kiln::tuner {

TEST_CASE("quantiles interpolate between order statistics") {
  const std::vector<double> sorted = {1, 2, 4, 8};
  CHECK(quantile(sorted, 0) == 1);
  CHECK(quantile(sorted, 1) == 8);
  CHECK(quantile(sorted, 0.5) == 3);
  CHECK(least_disturbed_rate({8, 1, 4, 2, 3, 5, 6, 7, 10, 9, 0}) == 9);
  CHECK(least_disturbed_rate({}) == 0);
}

TEST_CASE("the interval of the median uses the binomial's order statistics") {
  const auto ranks = [](int n) {
    std::vector<double> sorted(static_cast<size_t>(n));
    std::iota(sorted.begin(), sorted.end(), 1.0);
    const Interval interval = median_interval(sorted);
    return std::pair(interval.low, interval.high);
  };
  // Tables of the sign test; below six samples the extremes.
  CHECK(ranks(5) == std::pair(1.0, 5.0));
  CHECK(ranks(6) == std::pair(1.0, 6.0));
  CHECK(ranks(9) == std::pair(2.0, 8.0));
  CHECK(ranks(20) == std::pair(6.0, 15.0));
  CHECK(ranks(60) == std::pair(22.0, 39.0));
  CHECK(ranks(100) == std::pair(40.0, 61.0));
}

TEST_CASE("the interval covers the true median as often as it says") {
  for (const int n : {7, 15, 40, 90}) {
    int covered = 0;
    constexpr int kTrials = 2000;
    for (int trial = 0; trial < kTrials; ++trial) {
      std::vector<double> samples;
      for (int i = 0; i < n; ++i) {
        const double u = double(random_below(uint64_t(trial), uint64_t(i), 1u << 30)) / (1 << 30);
        samples.push_back(-std::log(1 - u));  // exponential: median log 2
      }
      std::sort(samples.begin(), samples.end());
      const Interval interval = median_interval(samples);
      covered += interval.low <= std::log(2.0) && std::log(2.0) <= interval.high;
    }
    INFO("n = " << n);
    CHECK(covered >= 0.94 * kTrials);
  }
}

TEST_CASE("two modes are told from one wide mode") {
  std::vector<double> one, two, outlier;
  for (int i = 0; i < 50; ++i) {
    const double jitter = double(random_below(1, uint64_t(i), 1000)) / 1000;
    one.push_back(100 + 5 * jitter);
    two.push_back((i % 3 == 0 ? 150 : 100) + 5 * jitter);
    outlier.push_back(i == 7 ? 500 : 100 + 5 * jitter);
  }
  for (auto* samples : {&one, &two, &outlier})
    std::sort(samples->begin(), samples->end());
  CHECK_FALSE(has_two_modes(one));
  CHECK(has_two_modes(two));
  CHECK_FALSE(has_two_modes(outlier));
  CHECK_FALSE(has_two_modes(std::vector<double>{1, 1, 2, 2}));
}

}  // namespace kiln::tuner
