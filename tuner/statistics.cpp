#include "tuner/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace kiln::tuner {

double quantile(std::span<const double> sorted, double p) {
  const double position = p * double(sorted.size() - 1);
  const size_t below = std::min(size_t(position), sorted.size() - 1);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - double(below));
}

double least_disturbed_rate(std::vector<double> rates) {
  if (rates.empty()) return 0;
  std::sort(rates.begin(), rates.end());
  return quantile(rates, 0.9);
}

Interval median_interval(std::span<const double> sorted) {
  const size_t n = sorted.size();
  // Largest k with P(fewer than k samples below the median) <= 2.5 %, summed as a binomial up to
  // 60 samples and by its normal approximation beyond.
  size_t k = 0;
  if (n <= 60) {
    double term = std::ldexp(1.0, -int(n));
    double sum = 0;
    for (size_t i = 0; i < n; ++i) {
      sum += term;
      if (sum > 0.025) break;
      k = i + 1;
      term *= double(n - i) / double(i + 1);
    }
  } else {
    k = size_t(std::floor(0.5 * double(n) - 0.98 * std::sqrt(double(n))));
  }
  if (k == 0) return {sorted.front(), sorted.back()};
  return {sorted[k - 1], sorted[n - k]};
}

bool has_two_modes(std::span<const double> sorted) {
  constexpr size_t kFewest = 10;
  if (sorted.size() < kFewest) return false;
  const size_t fifth = sorted.size() / 5;
  size_t split = fifth;
  for (size_t i = fifth; i <= sorted.size() - fifth; ++i) {
    if (sorted[i] - sorted[i - 1] > sorted[split] - sorted[split - 1]) split = i;
  }
  const auto low = sorted.first(split);
  const auto high = sorted.subspan(split);
  const double distance = quantile(high, 0.5) - quantile(low, 0.5);
  const double spread = std::max(quantile(low, 0.75) - quantile(low, 0.25),
                                 quantile(high, 0.75) - quantile(high, 0.25));
  return distance > 0.1 * quantile(sorted, 0.5) && distance > 3 * spread;
}

}  // namespace kiln::tuner
