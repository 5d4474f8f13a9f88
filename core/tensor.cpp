#include "core/tensor.h"

namespace kiln {

int64_t HostTensor::elements() const {
  int64_t product = 1;
  for (const int64_t extent : shape)
    product *= extent;
  return product;
}

}  // namespace kiln
