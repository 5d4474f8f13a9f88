#include "runtime/emulator/tensor_map.h"

#include <cstring>

namespace kiln::runtime::emulator {

void encode(const MappedTensor& mapped, KilnU64* words) {
  static_assert(sizeof(KilnEmulatorTensorMap) <= kKilnMapWords * sizeof(KilnU64));
  KilnEmulatorTensorMap map{.mark = kKilnEmulatorMapMark,
                            .address = mapped.address,
                            .strides = {},
                            .sizes = {},
                            .box = {},
                            .rank = mapped.rank,
                            .element_bytes = uint32_t(size_of(mapped.dtype)),
                            .span = uint32_t(span_bytes(mapped.swizzle))};
  for (size_t d = 0; d < mapped.rank; ++d) {
    if (d > 0) map.strides[d - 1] = mapped.strides[d];
    map.sizes[d] = uint32_t(mapped.sizes[d]);
    map.box[d] = mapped.box[d];
  }
  std::memcpy(words, &map, sizeof map);
}

uint32_t box_bytes(const KilnEmulatorTensorMap& map) {
  uint32_t bytes = map.element_bytes;
  for (uint32_t d = 0; d < map.rank; ++d)
    bytes *= map.box[d];
  return bytes;
}

uint32_t box_byte(const KilnEmulatorTensorMap& map, uint32_t to, uint32_t offset) {
  const uint32_t at = to + offset;
  const uint32_t mask = map.span == 0 ? 0 : map.span / 16 - 1;
  return at ^ (at >> 7 & mask) << 4;
}

}  // namespace kiln::runtime::emulator
