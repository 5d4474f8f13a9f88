#include "tuner/strategies/geometry.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace kiln::tuner {
namespace {

// Below this many values a parameter says too little about alignment.
constexpr size_t kManyValues = 4;

bool is_power_of_two(int64_t value) {
  return value > 0 && std::has_single_bit(static_cast<uint64_t>(value));
}

Geometry::Dimension dimension_of(size_t index, const std::vector<int64_t>& values) {
  Geometry::Dimension dimension;
  dimension.parameter = index;
  const size_t n = values.size();
  const bool positive = values.front() > 0;  // ascending
  for (size_t j = 0; j < n; ++j) {
    const double rank = static_cast<double>(j) / static_cast<double>(n - 1);
    const double log_share =
        positive ? std::log(static_cast<double>(values[j]) / static_cast<double>(values[0])) /
                       std::log(static_cast<double>(values[n - 1]) / static_cast<double>(values[0]))
                 : rank;
    dimension.u.push_back((rank + log_share) / 2);
    dimension.misaligned.push_back(n >= kManyValues && values[j] > 0 &&
                                   !is_power_of_two(values[j]));
  }
  if (n >= kManyValues && positive && !std::all_of(values.begin(), values.end(), is_power_of_two)) {
    int most = 0;
    for (const int64_t value : values) {
      most = std::max(most, std::countr_zero(static_cast<uint64_t>(value)));
    }
    if (most > 0) {
      for (const int64_t value : values) {
        dimension.z.push_back(static_cast<double>(std::countr_zero(static_cast<uint64_t>(value))) /
                              most);
      }
    }
  }
  return dimension;
}

}  // namespace

Geometry::Geometry(const Space& space, const std::vector<std::vector<uint16_t>>& points)
    : points_(&points) {
  for (size_t p = 0; p < space.parameters().size(); ++p) {
    const std::vector<int64_t>& values = space.parameters()[p].values;
    if (values.size() > 1) dimensions_.push_back(dimension_of(p, values));
  }
}

double Geometry::rank_distance(size_t a, size_t b) const {
  double sum = 0;
  for (size_t d = 0; d < dimensions_.size(); ++d) {
    const double levels = static_cast<double>(dimensions_[d].u.size() - 1);
    sum += std::fabs(static_cast<double>(level(a, d)) - static_cast<double>(level(b, d))) / levels;
  }
  return sum;
}

double Geometry::alignment_weight(size_t point) const {
  double weight = 1;
  for (size_t d = 0; d < dimensions_.size(); ++d) {
    if (dimensions_[d].misaligned[level(point, d)]) weight /= 2;
  }
  return weight;
}

std::vector<size_t> Geometry::neighbours(size_t point) const {
  std::vector<size_t> neighbours;
  // Points are in lexicographic order, so each neighbour is found by binary search.
  std::vector<uint16_t> levels = (*points_)[point];
  for (const Dimension& dimension : dimensions_) {
    const uint16_t own = levels[dimension.parameter];
    for (size_t j = 0; j < dimension.u.size(); ++j) {
      if (j == own) continue;
      levels[dimension.parameter] = uint16_t(j);
      const auto at = std::lower_bound(points_->begin(), points_->end(), levels);
      if (at != points_->end() && *at == levels) {
        neighbours.push_back(static_cast<size_t>(at - points_->begin()));
      }
    }
    levels[dimension.parameter] = own;
  }
  return neighbours;
}

}  // namespace kiln::tuner
