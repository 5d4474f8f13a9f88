// Contractions whose left operand has few rows: the time goes into reading the right operand, which
// happens once, where it lies, row by row from end to end.

#pragma once

#include "tile/contraction.h"
#include "tile/wide/finish.h"
#include "tile/wide/tiles_block.h"

namespace tile {

namespace detail {

// sums[i * stride + j] += sum over k < depth of left[i][k] row[j][k] for a vector's worth of rows i
// and columns j. `left` is padded with zeros to whole vectors.
template <int BM, class T, int kColumns>
TILE_FN void add_dots(float* sums, int stride, const float* left, int left_stride,
                      const T* const (&row)[kColumns], int depth) {
  VecF32 sum[BM][kColumns];
  TILE_UNROLL
  for (int i = 0; i < BM; ++i) {
    TILE_UNROLL
    for (int j = 0; j < kColumns; ++j)
      sum[i][j] = VecF32{};
  }
  const auto add = [&](int k, const VecF32(&values)[kColumns]) {
    TILE_UNROLL
    for (int i = 0; i < BM; ++i) {
      const VecF32 a = *(const VecF32*)(left + i * left_stride + k);
      TILE_UNROLL
      for (int j = 0; j < kColumns; ++j)
        sum[i][j] = xfma(values[j], a, sum[i][j]);
    }
  };
  VecF32 values[kColumns];
  int k = 0;
  TILE_ROLL
  for (; k + kLanes <= depth; k += kLanes) {
    TILE_UNROLL
    for (int j = 0; j < kColumns; ++j)
      values[j] = load(row[j] + k);
    add(k, values);
  }
  if (k < depth) {
    TILE_UNROLL
    for (int j = 0; j < kColumns; ++j)
      values[j] = load_first(row[j] + k, depth - k);
    add(k, values);
  }
  static_assert(BM * kColumns == kLanes, "one vector holds the sums");
  VecF32 all[kLanes];
  TILE_UNROLL
  for (int n = 0; n < kLanes; ++n)
    all[n] = sum[n / kColumns][n % kColumns];
  const VecF32 total = tile::sums(all);
  TILE_UNROLL
  for (int n = 0; n < kLanes; ++n)
    sums[n / kColumns * stride + n % kColumns] += total[n];
}

// sums[i * stride + j] += sum over r < kRows of weight[i * weight_stride + r] row[r][j] for j <
// count, while the same part of `next` is fetched; whole vectors of sums are written.
template <int BM, class T, int kRows>
TILE_FN void add_rows(float* sums, int stride, const float* weight, int weight_stride,
                      const T* const (&row)[kRows], const T* const (&next)[kRows], int count) {
  VecF32 factor[BM][kRows];
  TILE_UNROLL
  for (int i = 0; i < BM; ++i) {
    TILE_UNROLL
    for (int r = 0; r < kRows; ++r)
      factor[i][r] = splat(weight[i * weight_stride + r]);
  }
  TILE_ROLL
  for (int j = 0; j < count; j += kLanes) {
    VecF32 values[kRows];
    TILE_UNROLL
    for (int r = 0; r < kRows; ++r)
      __builtin_prefetch(next[r] + j, 0, 2);
    TILE_UNROLL
    for (int r = 0; r < kRows; ++r)
      values[r] = count - j >= kLanes ? load(row[r] + j) : load_first(row[r] + j, count - j);
    TILE_UNROLL
    for (int i = 0; i < BM; ++i) {
      VecF32& to = *(VecF32*)(sums + i * stride + j);
      VecF32 sum = to;
      TILE_UNROLL
      for (int r = 0; r < kRows; ++r)
        sum = xfma(values[r], factor[i][r], sum);
      to = sum;
    }
  }
}

}  // namespace detail

// The part of ColumnsBlock that contracts along a long k. A tile has at most a vector's worth of
// rows, a power of two.
template <class Config>
class FewRows : public TilesBlock<Config, float, i32> {
 public:
  using TilesBlock<Config, float, i32>::TilesBlock;

  // A chunk of the left operand as f32, rows that are not there and the rest of a vector being 0.
  template <int BM, int BK>
  struct LeftChunk {
    static constexpr int kStride = footprint::round_up(BK, kLanes);
    alignas(64) float d[BM][kStride];
  };
  template <class T, class Operand>
  struct RightChunk {
    const Operand& operand;
    i64 n0;
    int columns;
    i64 k0;
    int depth;
  };

  static constexpr i64 contraction_stack_bytes(int block_m, int block_n, int block_k) {
    return footprint::few_rows_bytes(block_m, block_n, block_k, kLanes);
  }
  template <class T, bool, bool>
  static constexpr u32 contraction_scratch_bytes(int, int, int) {
    return 0;
  }

  template <class Accum>
  TILE_FN void zero(Accum& a) const {
    constexpr int kSize = sizeof(a.d) / sizeof(VecF32);
    TILE_ROLL
    for (int n = 0; n < kSize; ++n) {
      asm volatile("" ::: "memory");  // else the loop becomes a call of memset
      ((VecF32*)&a.d[0][0])[n] = VecF32{};
    }
  }

  // As PanelsBlock::stream_k.
  template <int BM, int BN, int BK, class T, class Left, class Right, class F>
  TILE_FN void stream_k(i64 lo, i64 hi, const Left& a, i64 m0, const Right& b, i64 n0, F body) {
    const int rows = (int)lmin(BM, a.extent() - m0), columns = (int)lmin(BN, b.extent() - n0);
    LeftChunk<BM, BK> left;
    TILE_ROLL
    for (i64 k0 = lo; k0 < hi; k0 += BK) {
      const int depth = (int)lmin(BK, hi - k0);
      copy_left<BM, BK, T>(left, a, m0, rows, k0, depth);
      body(left, RightChunk<T, Right>{b, n0, columns, k0, depth});
    }
  }

  template <class Accum, int BM, int BK, class T, class Right>
  TILE_OUTLINE void mma(Accum& acc, const LeftChunk<BM, BK>& a,
                        const RightChunk<T, Right>& b) const {
    const auto& view = b.operand.view;
    if constexpr (Right::kDown) {
      constexpr int kRows = 4;  // as many hide the sums' loads and stores
      const auto add = [&](auto rows, int k) {
        const T *row[rows.value], *next[rows.value];
        TILE_UNROLL
        for (int r = 0; r < rows.value; ++r) {
          const i64 at = b.k0 + k + r;
          row[r] = view.at(view.row(at), b.n0);
          next[r] = view.at(view.row(lmin(at + kRows, view.rows - 1)), b.n0);
        }
        detail::add_rows<BM>(&acc.d[0][0], acc.kStride, &a.d[0][k], a.kStride, row, next,
                             b.columns);
      };
      int k = 0;
      TILE_ROLL
      for (; k + kRows <= b.depth; k += kRows)
        add(Constant<kRows>{}, k);
      TILE_ROLL
      for (; k < b.depth; ++k)
        add(Constant<1>{}, k);
    } else {
      constexpr int kColumns = kLanes / BM;
      TILE_ROLL
      for (int j = 0; j < b.columns; j += kColumns) {
        const T* row[kColumns];
        TILE_UNROLL
        for (int n = 0; n < kColumns; ++n)
          row[n] = view.at(view.row(b.n0 + imin(j + n, b.columns - 1)), b.k0);
        detail::add_dots<BM>(&acc.d[0][j], acc.kStride, &a.d[0][0], a.kStride, row, b.depth);
      }
    }
  }

  // As PanelsBlock::store.
  template <class View, class Accum, class F, class... Inputs>
  TILE_OUTLINE void store(const View& view, i64 m0, i64 n, i64 n0, const Accum& acc, F f,
                          const Inputs&... inputs) const {
    constexpr int kRows = sizeof(acc.d) / sizeof(acc.d[0]);
    finish_rows<false>(view, m0, (int)lmin(kRows, view.rows - m0), n0,
                       (int)lmin(acc.kStride, n - n0), &acc.d[0][0], acc.kStride, f, inputs...);
  }

 private:
  template <int BM, int BK, class T, class Left>
  static TILE_OUTLINE void copy_left(LeftChunk<BM, BK>& to, const Left& a, i64 m0, int rows, i64 k0,
                                     int depth) {
    const auto& view = a.view;
    TILE_ROLL
    for (int i = 0; i < BM; ++i) {
      TILE_ROLL
      for (int k = 0; k < depth; k += kLanes) {
        VecF32 values = {};
        if (i < rows) {
          if constexpr (Left::kDown) {
            TILE_ROLL
            for (int x = 0; x < imin(kLanes, depth - k); ++x)
              values[x] = to_float(*view.at(view.row(k0 + k + x), m0 + i));
          } else {
            const T* p = view.at(view.row(m0 + i), k0) + k;
            values = depth - k >= kLanes ? load(p) : load_first(p, depth - k);
          }
        }
        *(VecF32*)&to.d[i][k] = values;
      }
    }
  }
};

}  // namespace tile
