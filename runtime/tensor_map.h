// A tensor map of one launch: what bulk copies are to see of a tensor, before its target encodes
// it.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/dtype.h"
#include "core/plan.h"

namespace kiln::runtime {

// By dimension of the map; the elements of dimension 0 lie side by side.
struct MappedTensor {
  uint64_t address = 0;
  Dtype dtype = Dtype::kF32;
  uint32_t rank = 0;
  std::array<uint64_t, 5> sizes = {};    // elements
  std::array<uint64_t, 5> strides = {};  // bytes
  std::array<uint32_t, 5> box = {};      // elements
  TensorMap::Swizzle swizzle = TensorMap::Swizzle::kNone;
};

// `shape` and `strides` (in elements) are the tensor's, by axis. nullopt where no bulk copy can
// bring boxes of a tensor that lies so: they want addresses and strides that are multiples of 16
// bytes, and strides that are neither negative nor enormous.
std::optional<MappedTensor> mapped_tensor(const TensorMap& map, Dtype dtype, uint64_t address,
                                          std::span<const int64_t> shape,
                                          std::span<const int64_t> strides);

}  // namespace kiln::runtime
