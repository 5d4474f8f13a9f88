// Where the points of a space lie: coordinates in which nearby points run alike.
//
// Parameters with one value are left out. Each other one has a coordinate u in [0, 1], halfway
// between the rank of its value and the value's logarithm; values that are not all powers of two
// also have a coordinate z, the share of trailing zero bits, because kernels care about alignment.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/space.h"

namespace kiln::tuner {

class Geometry {
 public:
  struct Dimension {
    size_t parameter = 0;          // index in the space
    std::vector<double> u;         // by level
    std::vector<double> z;         // by level; empty: none
    std::vector<bool> misaligned;  // by level: positive and no power of two, of many values
  };

  // Both outlive the geometry.
  Geometry(const Space& space, const std::vector<std::vector<uint16_t>>& points);

  size_t size() const { return points_->size(); }
  const std::vector<Dimension>& dimensions() const { return dimensions_; }
  uint16_t level(size_t point, size_t dimension) const {
    return (*points_)[point][dimensions_[dimension].parameter];
  }

  // Sum over the dimensions of the distance in ranks, each between 0 and 1.
  double rank_distance(size_t a, size_t b) const;
  // Halved for every parameter at a misaligned value.
  double alignment_weight(size_t point) const;
  // Points that differ in one parameter only.
  std::vector<size_t> neighbours(size_t point) const;

 private:
  const std::vector<std::vector<uint16_t>>* points_;
  std::vector<Dimension> dimensions_;
};

}  // namespace kiln::tuner
