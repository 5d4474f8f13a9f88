// A tensor in host memory, as workloads and references see it. Does not own its memory.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/dtype.h"

namespace kiln {

struct HostTensor {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape;    // outermost first
  std::vector<int64_t> strides;  // in elements
  void* data = nullptr;          // null: absent (optional tensor)

  int64_t elements() const;  // product of the shape
  // Element at offset (in elements) from the first.
  double at(int64_t offset) const {
    return load_element(dtype, static_cast<const char*>(data) + offset * int64_t(size_of(dtype)));
  }
};

// Whether a tensor of this shape has fewer than 2^57 elements, so that no size in bytes overflows.
bool tensor_fits(std::initializer_list<int64_t> shape);

}  // namespace kiln
