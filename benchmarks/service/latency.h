// Latencies of many calls.

#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

namespace kiln::bench {

// Microseconds of `count` calls, one after the other.
template <class Call>
std::vector<double> latencies(int count, Call&& call) {
  std::vector<double> microseconds(size_t(count), 0.0);
  for (double& each : microseconds) {
    const auto start = std::chrono::steady_clock::now();
    call();
    each =
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  }
  return microseconds;
}

// The value below which `part` of the values lie; there must be one.
inline double quantile(std::vector<double> values, double part) {
  const auto rank = std::min(values.size() - 1, size_t(part * double(values.size())));
  std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(rank), values.end());
  return values[rank];
}

}  // namespace kiln::bench
