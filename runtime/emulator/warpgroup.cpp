#include "runtime/emulator/warpgroup.h"

namespace kiln::runtime::emulator {
namespace {

constexpr int kElement = 2;  // bytes
constexpr int kCore = 8;     // rows of a core matrix, and elements of its rows

// The swizzle exchanges bits 4 to 6 of an address with bits 7 to 9, as many as the panel has.
uint32_t swizzled(const Descriptor& d, uint32_t address) {
  const uint32_t mask = d.panel == 0 ? 0 : uint32_t(d.panel) / 16 - 1;
  return address ^ ((address >> 7 & mask) << 4);
}

uint32_t field(uint64_t bits, int from) {
  return uint32_t(bits >> from & 0x3fff) << 4;
}

}  // namespace

Descriptor::Descriptor(uint64_t bits)
    : start(field(bits, 0)),
      leading(field(bits, 16)),
      stride(field(bits, 32)),
      base_offset(int(bits >> 49 & 7)) {
  constexpr int kPanels[] = {0, 128, 64, 32};
  panel = kPanels[bits >> 62];
}

uint32_t byte_along(const Descriptor& d, int i, int k) {
  const uint32_t row = uint32_t(i % kCore), group = uint32_t(i / kCore);
  const uint32_t column = uint32_t(k * kElement);
  if (d.panel == 0) {
    return d.start + group * d.stride + row * 16 + column / 16 * d.leading + column % 16;
  }
  return swizzled(d, d.start + group * d.stride + row * uint32_t(d.panel) + column);
}

uint32_t byte_down(const Descriptor& d, int i, int k) {
  const uint32_t row = uint32_t(k % kCore), group = uint32_t(k / kCore);
  const uint32_t column = uint32_t(i * kElement);
  if (d.panel == 0) {
    return d.start + column / 16 * d.stride + column % 16 + row * 16 + group * d.leading;
  }
  const uint32_t panel = uint32_t(d.panel);
  return swizzled(
      d, d.start + column / panel * d.leading + column % panel + row * panel + group * d.stride);
}

ProductPlace product_place(int thread, int e) {
  const int warp = thread / 32, lane = thread % 32;
  return {warp * 16 + lane / 4 + (e & 2) * 4, e / 4 * 8 + lane % 4 * 2 + (e & 1)};
}

void multiply(const ProductLeft& left, const ProductRight& right, int columns,
              std::span<float* const> sums) {
  for (int thread = 0; thread < kWarpgroup; ++thread) {
    for (int e = 0; e < columns / 2; ++e) {
      const ProductPlace p = product_place(thread, e);
      const auto& a = left[size_t(p.row)];
      const auto& b = right[size_t(p.column)];
      float sum = 0;
      for (size_t k = 0; k < kProductDepth; ++k)
        sum += a[k] * b[k];
      sums[size_t(thread)][e] += sum;
    }
  }
}

}  // namespace kiln::runtime::emulator
