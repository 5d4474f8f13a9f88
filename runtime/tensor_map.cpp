#include "runtime/tensor_map.h"

namespace kiln::runtime {
namespace {

// CUDA Driver API, cuTensorMapEncodeTiled.
constexpr uint64_t kAlignment = 16;
constexpr int64_t kSizesEnd = int64_t{1} << 32, kStridesEnd = int64_t{1} << 40;

}  // namespace

std::optional<MappedTensor> mapped_tensor(const TensorMap& map, Dtype dtype, uint64_t address,
                                          std::span<const int64_t> shape,
                                          std::span<const int64_t> strides) {
  const auto element = int64_t(size_of(dtype));
  if (address == 0 || address % kAlignment != 0) return std::nullopt;
  MappedTensor mapped{.address = address,
                      .dtype = dtype,
                      .rank = uint32_t(map.axes.size()),
                      .swizzle = map.swizzle};
  for (size_t d = 0; d < map.axes.size(); ++d) {
    const auto axis = size_t(map.axes[d]);
    if (shape[axis] < 1 || shape[axis] >= kSizesEnd) return std::nullopt;
    mapped.sizes[d] = uint64_t(shape[axis]);
    mapped.box[d] = uint32_t(map.box[d]);
    mapped.strides[d] = uint64_t(element);
    if (d == 0) continue;
    if (strides[axis] < 0 || strides[axis] >= kStridesEnd / element) return std::nullopt;
    mapped.strides[d] = uint64_t(strides[axis] * element);
    if (mapped.strides[d] % kAlignment != 0) return std::nullopt;
  }
  return mapped;
}

}  // namespace kiln::runtime
