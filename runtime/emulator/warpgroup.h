// Products of a warpgroup as the hardware does them: 64 rows, a depth of 16, operands in scratchpad
// by descriptor. Written down here once more, apart from the lowering's own knowledge of it, and
// compared with what the vendor documents by tests.
//
// Source: PTX ISA, "Asynchronous warpgroup level matrix instructions": register fragments, strides
// and swizzling modes, matrix descriptor format.

#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace kiln::runtime::emulator {

constexpr int kWarpgroup = 128;  // threads
constexpr int kProductRows = 64, kProductDepth = 16;
constexpr int kMostColumns = 256;

// A matrix descriptor taken apart, in bytes.
struct Descriptor {
  uint32_t start;
  uint32_t leading, stride;  // "leading dimension byte offset", "stride dimension byte offset"
  int base_offset;
  int panel;  // bytes within which chunks of 16 are exchanged: 128, 64, 32; 0: no swizzle

  explicit Descriptor(uint64_t bits);
};

// Where element (i, k) lies whose k runs along the rows of its matrix ("K-major"), or down them
// ("MN-major"); k below 16.
uint32_t byte_along(const Descriptor& d, int i, int k);
uint32_t byte_down(const Descriptor& d, int i, int k);

// Row and column of element e of a thread's part of the sums; registers of a left operand hold
// theirs as sums of 16 columns do.
struct ProductPlace {
  int row, column;
};
ProductPlace product_place(int thread, int e);

using ProductLeft = std::array<std::array<float, kProductDepth>, kProductRows>;
using ProductRight = std::array<std::array<float, kProductDepth>, kMostColumns>;  // [n][k]

// sums[thread] += its part of left right. One entry a thread.
void multiply(const ProductLeft& left, const ProductRight& right, int columns,
              std::span<float* const> sums);

}  // namespace kiln::runtime::emulator
