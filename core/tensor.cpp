#include "core/tensor.h"

namespace kiln {

namespace {

constexpr int64_t kMostElements = int64_t(1) << 57;

}  // namespace

int64_t HostTensor::elements() const {
  int64_t product = 1;
  for (const int64_t extent : shape)
    product *= extent;
  return product;
}

bool tensor_fits(std::initializer_list<int64_t> shape) {
  int64_t product = 1;
  for (const int64_t extent : shape) {
    if (__builtin_mul_overflow(product, extent, &product)) return false;
  }
  return product < kMostElements;
}

}  // namespace kiln
