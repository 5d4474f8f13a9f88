#include "tuner/strategies/simple.h"

namespace kiln::tuner {

OrderedSearch::OrderedSearch(size_t points, std::vector<size_t> first, std::vector<size_t> order)
    : order_(std::move(first)), asked_(points, false) {
  order_.insert(order_.end(), order.begin(), order.end());
}

std::vector<size_t> OrderedSearch::ask(size_t count) {
  std::vector<size_t> batch;
  while (next_ < order_.size() && batch.size() < count) {
    const size_t point = order_[next_++];
    if (asked_[point]) continue;
    asked_[point] = true;
    batch.push_back(point);
  }
  while (next_ < order_.size() && asked_[order_[next_]])
    ++next_;
  return batch;
}

void OrderedSearch::tell(size_t point, std::optional<double>) {
  asked_[point] = true;
  while (next_ < order_.size() && asked_[order_[next_]])
    ++next_;
}

}  // namespace kiln::tuner
