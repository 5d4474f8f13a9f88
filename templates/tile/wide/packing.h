// Copies of parts of operands whose sizes are known at run time only: converted to lanes, in pairs
// along k where products want pairs, and padded with zeros.
//
// `depth` counts elements of k; what lies beyond is neither read nor of any effect.

#pragma once

#include "tile/contraction.h"
#include "tile/footprint.h"
#include "tile/wide/multiplicand.h"

namespace tile {

namespace detail {

// n <= kLanes elements as 32-bit lanes; with pairs, 2 n elements, of which `count` are there.
template <class T>
TILE_FN auto load_lanes(const T* p, int count) {
  using M = Multiplicand<T>;
  if constexpr (M::kPerLane == 1) {
    return count >= kLanes ? load(p) : load_first(p, count);
  } else {
    if (count >= 2 * kLanes) return *(const VecU32Unaligned*)p;
    alignas(kVectorBytes) u16 halves[2 * kLanes] = {};
    copy_first<2 * kLanes>(halves, (const u16*)p, count);
    return *(const VecU32*)halves;
  }
}

// Lanes of one row of k (two rows, interleaved, with pairs): `count` columns from p (and q).
template <class T>
TILE_FN auto interleave_rows(const T* p, const T* q, bool both, int count) {
  if constexpr (Multiplicand<T>::kPerLane == 1) {
    return count >= kLanes ? load(p) : load_first(p, count);
  } else {
    const auto halves = [count](const T* from) {
      const VecU16 bits = count >= kLanes ? (VecU16) * (const VecU16Unaligned*)from
                                          : load_bits_first<VecU16>((const u16*)from, count);
      return __builtin_convertvector(bits, VecU32);
    };
    const VecU32 low = halves(p);
    return both ? low | halves(q) << 16 : low;
  }
}

// Begins to fetch a run of elements: copies outrun what hardware fetches by itself, whose runs are
// short and whose rows lie pages apart.
template <class T>
TILE_FN void fetch_run(const T* p, int count) {
  TILE_ROLL
  for (int b = 0; b < count * (int)sizeof(T); b += 64)
    __builtin_prefetch((const char*)p + b, 0, 3);
}
constexpr int kRowsAhead = 4;

}  // namespace detail

// Rows of k, one after the other `stride` lanes apart.
template <class T, class View>
TILE_FN void copy_rows(typename Multiplicand<T>::Lane* to, i64 stride, const View& view, i64 first,
                       int count, i64 k0, int depth) {
  constexpr int kStep = kLanes * Multiplicand<T>::kPerLane;
  TILE_ROLL
  for (int r = 0; r < count; ++r) {
    const T* p = view.at(view.row(first + r), k0);
    auto* row = to + r * stride;
    if (r + detail::kRowsAhead < count) {
      detail::fetch_run(view.at(view.row(first + r + detail::kRowsAhead), k0), depth);
    }
    _Pragma("clang loop unroll_count(2)") for (int x = 0; x < depth; x += kStep) {
      *(VecF32*)(row + x / Multiplicand<T>::kPerLane) =
          (VecF32)detail::load_lanes<T>(p + x, depth - x);
    }
  }
}

// Elements first .. first + count - 1 of rows k0 .. of a view, k running down the rows, in pieces
// of kWidth elements: piece p has kWidth lanes for each k, from to + p * stride on. Up to a
// vector's lanes more are written behind a piece.
template <class T, int kWidth, class View>
TILE_FN void pack_down(typename Multiplicand<T>::Lane* to, i64 stride, const View& view, i64 first,
                       int count, i64 k0, int depth) {
  constexpr int kPerLane = Multiplicand<T>::kPerLane;
  TILE_ROLL
  for (int k = 0; k < depth; k += kPerLane) {
    const bool both = kPerLane == 2 && k + 1 < depth;
    const T* p = view.at(view.row(k0 + k), first);
    const T* q = both ? view.at(view.row(k0 + k + 1), first) : p;
    auto* lanes = to + k / kPerLane * kWidth;
    if (k + detail::kRowsAhead * kPerLane < depth) {
      TILE_UNROLL
      for (int n = 0; n < kPerLane; ++n) {
        const i64 ahead = k0 + imin(k + detail::kRowsAhead * kPerLane + n, depth - 1);
        detail::fetch_run(view.at(view.row(ahead), first), count);
      }
    }
    // What follows is written over by the next k.
    TILE_ROLL
    for (int j = 0; j < count; j += kWidth, lanes += stride) {
      TILE_UNROLL
      for (int v = 0; v < kWidth; v += kLanes) {
        const int left = count - j - v;
        if (left > 0) {
          *(VecF32Unaligned*)(lanes + v) =
              (VecF32)detail::interleave_rows<T>(p + j + v, q + j + v, both, left);
        }
      }
    }
  }
}

// The same of a view along whose rows k runs, by squares of kLanes rows and lanes; kWidth is a
// multiple of kLanes. Rows that are not there are one that is; up to a vector's k more are written.
template <class T, int kWidth, class View>
TILE_FN void pack_along(typename Multiplicand<T>::Lane* to, i64 stride, const View& view, i64 first,
                        int count, i64 k0, int depth) {
  constexpr int kPerLane = Multiplicand<T>::kPerLane, kStep = kLanes * kPerLane;
  TILE_ROLL
  for (int j = 0; j < count; j += kLanes) {
    const T* row[kLanes];
    TILE_UNROLL
    for (int r = 0; r < kLanes; ++r)
      row[r] = view.at(view.row(first + imin(j + r, count - 1)), k0);
    auto* lanes = to + j / kWidth * stride + j % kWidth;
    TILE_ROLL
    for (int r = 0; r < kLanes && j + kLanes + r < count; ++r)
      detail::fetch_run(view.at(view.row(first + j + kLanes + r), k0), depth);
    TILE_ROLL
    for (int k = 0; k < depth; k += kStep) {
      VecF32 t[kLanes];
      TILE_UNROLL
      for (int r = 0; r < kLanes; ++r)
        t[r] = (VecF32)detail::load_lanes<T>(row[r] + k, depth - k);
      transpose(t);
      TILE_UNROLL
      for (int r = 0; r < kLanes; ++r)
        *(VecF32*)(lanes + (k / kPerLane + r) * kWidth) = t[r];
    }
  }
}

}  // namespace tile
