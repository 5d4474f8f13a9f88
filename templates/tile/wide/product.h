// The register-blocked product: everything that the rows-in-lanes layout multiplies goes through
// `register_block`.
//
// Left operands and accumulators are stored in panels of NV * kLanes rows, column after column, so
// that a panel's column is NV vectors; elements of the right operand are broadcast.

#pragma once

#include "tile/wide/multiplicand.h"

namespace tile {

// c[n][row] (+)= sum over k of a[k][row] * b[n * column_stride + k * k_stride], for NR columns of a
// panel. With `scale`, what c held is multiplied by it, row by row.
template <int NV, int NR, bool kAccumulate, class Lane>
TILE_FN void register_block(float* __restrict c, const Lane* __restrict a, const Lane* __restrict b,
                            i64 column_stride, i64 k_stride, int depth, const VecF32* scale) {
  typedef Lane Vector __attribute__((vector_size(kVectorBytes)));
  typedef Lane LaneUnaligned __attribute__((aligned(2), may_alias));
  constexpr int kPanel = NV * kLanes;
  constexpr int kSums = NR * NV;
  VecF32 sum[kSums];  // column after column; one loop over all compiles faster than two nested ones
  TILE_UNROLL
  for (int i = 0; i < kSums; ++i)
    sum[i] = kAccumulate ? *(const VecF32*)(c + i * kLanes) : VecF32{};
  if (kAccumulate && scale) {
    TILE_UNROLL
    for (int i = 0; i < kSums; ++i)
      sum[i] *= scale[i % NV];
  }
  _Pragma("clang loop unroll_count(4)") for (int k = 0; k < depth; ++k) {
    Vector column[NV];
    TILE_UNROLL
    for (int v = 0; v < NV; ++v)
      column[v] = *(const Vector*)(a + v * kLanes);
    TILE_UNROLL
    for (int n = 0; n < NR; ++n) {
      const Lane element = *(const LaneUnaligned*)(b + n * column_stride);
      TILE_UNROLL
      for (int v = 0; v < NV; ++v)
        sum[n * NV + v] = multiply_add(sum[n * NV + v], column[v], element);
    }
    a += kPanel;
    b += k_stride;
  }
  TILE_UNROLL
  for (int i = 0; i < kSums; ++i)
    *(VecF32*)(c + i * kLanes) = sum[i];
}

// How N columns are dealt to register blocks of at most NR: `whole` blocks, then `tails` blocks of
// `tail` columns. A remainder too small to hide the multiply-add's latency is evened out over two
// blocks.
template <int N, int NR>
struct ColumnSplit {
  static constexpr int kRemainder = N % NR;
  static constexpr bool kEven = kRemainder != 0 && kRemainder < NR - 2 && N > NR &&
                                (NR + kRemainder) % 2 == 0;
  static constexpr int whole = N / NR - (kEven ? 1 : 0);
  static constexpr int tails = kRemainder == 0 ? 0 : kEven ? 2 : 1;
  static constexpr int tail = kEven ? (NR + kRemainder) / 2 : kRemainder;
  static_assert(whole * NR + tails * tail == N);
};

}  // namespace tile
