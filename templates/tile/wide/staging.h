// Right operands of a product: where their elements come from.
//
// An operand has a role (rows: k runs along a row; columns: k runs down the rows) and is either
// used in place or staged, which on a CPU means converted, interleaved in pairs where products want
// pairs, and padded with zero rows.

#pragma once

#include "tile/footprint.h"
#include "tile/view.h"
#include "tile/wide/multiplicand.h"

namespace tile {

// Row-role operand of `count` rows (a multiple of the register block's columns), `stride` lanes
// apart.
template <class T>
struct RowsRef {
  const typename Multiplicand<T>::Lane* lanes;
  i64 stride;
  int count;
};

// Column-role operand; a row holds one element, or one pair, of k for every column.
template <class T>
struct ColumnsRef {
  const typename Multiplicand<T>::Lane* lanes;
  i64 stride;
};

namespace detail {

// Copies one row of kCount 32-bit lanes made by `make(number of lanes wanted, first lane)`.
template <int kCount, class Lane, class F>
TILE_FN void fill_row(Lane* to, F make) {
  constexpr int kWhole = kCount / kLanes * kLanes;
  _Pragma("clang loop unroll_count(4)") for (int i = 0; i < kWhole; i += kLanes) {
    *(VecF32*)(to + i) = make(Constant<kLanes>{}, i);
  }
  if constexpr (kWhole != kCount) {
    *(VecF32*)(to + kWhole) = make(Constant<kCount - kWhole>{}, kWhole);
  }
}

template <int kCount, class Lane>
TILE_FN void zero_row(Lane* to) {
  for (int i = 0; i < kCount; i += kLanes)
    *(VecF32*)(to + i) = VecF32{};
}

template <int N>
TILE_FN VecU32 load_halves(const u16* p) {
  if constexpr (N == kLanes) {
    return __builtin_convertvector(*(const VecU16Unaligned*)p, VecU32);
  } else {
    return __builtin_convertvector(load_bits_first<VecU16>(p, N), VecU32);
  }
}

}  // namespace detail

// Room for R rows of C elements in the row role.
template <class T, int R, int C>
struct StagedRows {
  using Lane = typename Multiplicand<T>::Lane;
  static constexpr int kPerLane = Multiplicand<T>::kPerLane;
  static constexpr int kStride = footprint::round_up(C / kPerLane, kLanes) + footprint::kRowPadding;
  alignas(64) Lane lanes[R * kStride];

  // Rows first .. first+valid-1 of the view, then zero rows up to `padded`.
  template <class View>
  TILE_OUTLINE RowsRef<T> stage(const View& view, i64 first, int valid, int padded) {
    for (int r = 0; r < valid; ++r) {
      const T* p = view.row(first + r);
      detail::fill_row<C / kPerLane>(lanes + r * kStride, [&](auto n, int i) {
        if constexpr (kPerLane == 2) {
          return load_part<n.value>((const float*)(p + 2 * i));
        } else {
          return load_part<n.value>(p + i);
        }
      });
    }
    for (int r = valid; r < padded; ++r)
      detail::zero_row<C / kPerLane>(lanes + r * kStride);
    return {lanes, kStride, padded};
  }
};

// Room for R rows of C elements in the column role; pairs interleave two rows.
template <class T, int R, int C>
struct StagedColumns {
  using Lane = typename Multiplicand<T>::Lane;
  static constexpr int kPerLane = Multiplicand<T>::kPerLane;
  static constexpr int kStride = footprint::round_up(C, kLanes) + footprint::kRowPadding;
  alignas(64) Lane lanes[R / kPerLane * kStride];

  template <class View>
  TILE_OUTLINE ColumnsRef<T> stage(const View& view, i64 first, int valid, int padded) {
    for (int r = 0; r < valid; r += kPerLane) {
      const T* p = view.row(first + r);
      if constexpr (kPerLane == 2) {
        const bool both = r + 1 < valid;
        const T* q = both ? view.row(first + r + 1) : p;
        const u32 keep = both ? ~0u : 0u;
        detail::fill_row<C>(lanes + r / 2 * kStride, [&](auto n, int i) {
          const VecU32 low = detail::load_halves<n.value>((const u16*)p + i);
          const VecU32 high = detail::load_halves<n.value>((const u16*)q + i) & keep;
          return (VecF32)(low | high << 16);
        });
      } else {
        detail::fill_row<C>(lanes + r * kStride,
                            [&](auto n, int i) { return load_part<n.value>(p + i); });
      }
    }
    for (int r = (valid + kPerLane - 1) / kPerLane; r < padded / kPerLane; ++r) {
      detail::zero_row<C>(lanes + r * kStride);
    }
    return {lanes, kStride};
  }
};

// The CPU's asynchronous copy: rows of the next chunk, prefetched a few at a time from within a
// product.
struct RowPrefetch {
  const char* row = nullptr;
  i64 stride = 0;  // bytes
  int rows = 0;
  int bytes = 0;

  template <class View>
  static TILE_FN RowPrefetch of(const View& view, i64 first, i64 end, int most, int columns) {
    if constexpr (View::kAffine) {
      constexpr int kBytes = sizeof(*view.base);
      return {(const char*)view.row(first), view.stride * kBytes,
              imax(0, (int)lmin(most, end - first)), columns * kBytes};
    } else {
      return {};
    }
  }

  // Step `step` of `steps`: this step's share of the rows.
  TILE_FN void advance(int step, int steps) const {
    const int end = rows * (step + 1) / steps;
    for (int r = rows * step / steps; r < end; ++r) {
      for (int b = 0; b < bytes; b += 64)
        __builtin_prefetch(row + r * stride + b, 0, 2);
    }
  }
};

}  // namespace tile
