// Searches that learn nothing: every point in order, or in random order.

#pragma once

#include "tuner/strategy.h"

namespace kiln::tuner {

class OrderedSearch : public Strategy {
 public:
  // Asks `first`, then the points of `order` that were not asked yet.
  OrderedSearch(size_t points, std::vector<size_t> first, std::vector<size_t> order);

  std::vector<size_t> ask(size_t count) override;
  void tell(size_t point, std::optional<double> time_ns) override;
  bool converged() const override { return next_ == order_.size(); }

 private:
  std::vector<size_t> order_;
  std::vector<bool> asked_;
  size_t next_ = 0;
};

}  // namespace kiln::tuner
