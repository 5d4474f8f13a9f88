// Order statistics of timings. Pure functions; sort what they are given.

#pragma once

#include <span>
#include <vector>

namespace kiln::tuner {

struct Interval {
  double low = 0;
  double high = 0;
};

// Linear interpolation between order statistics; `sorted` ascending, not empty; p in [0, 1].
double quantile(std::span<const double> sorted, double p);
// 0.9-quantile of rates: neighbours can only lower them.
double least_disturbed_rate(std::vector<double> rates);

// Distribution-free 95 % confidence interval of the median: the order statistics between which the
// number of samples below the median lies with that probability (binomial with p = 1/2). Below six
// samples no such pair exists; then the extremes are returned.
Interval median_interval(std::span<const double> sorted);

// Samples that fall into two groups, each holding a fifth of them, whose medians differ by more
// than a tenth and by more than three times the wider group's interquartile range: the machine, not
// the kernel, changed.
bool has_two_modes(std::span<const double> sorted);

}  // namespace kiln::tuner
