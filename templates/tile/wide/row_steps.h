// Walking along a row, vector by vector, for tiles whose columns lie in lanes.
//
// bf16 goes two vectors at a time and is widened into the even and the odd columns: two operations
// where single vectors take four. f32 and what is left of a row go one vector at a time.

#pragma once

#include "tile/wide/vector.h"

namespace tile {

// A step along a row: `lanes` columns in `vectors` vectors.
template <int N>
struct RowStep {
  static constexpr int lanes = N;
  static constexpr int vectors = (N + kLanes - 1) / kLanes;
};

// f(step, first column) for the N columns of a row of T.
template <class T, int N, class F>
TILE_FN void for_each_step(F f) {
  constexpr int kPair = 2 * kLanes;
  constexpr int kPairs = kSame<T, bf16> ? N / kPair * kPair : 0;
  constexpr int kWhole = N / kLanes * kLanes;
  TILE_ROLL
  for (int x = 0; x < kPairs; x += kPair)
    f(RowStep<kPair>{}, x);
  TILE_ROLL
  for (int x = kPairs; x < kWhole; x += kLanes)
    f(RowStep<kLanes>{}, x);
  if constexpr (kWhole != N) f(RowStep<N - kWhole>{}, kWhole);
}

// Two vectors of bf16 come out as even and odd columns.
template <int N, class T>
TILE_FN void load_step(RowStep<N>, const T* p, VecF32 (&v)[RowStep<N>::vectors]) {
  if constexpr (RowStep<N>::vectors == 2) {
    const VecU32 pairs = *(const VecU32Unaligned*)p;
    v[0] = (VecF32)(pairs << 16);
    v[1] = (VecF32)(pairs & 0xffff0000);
  } else {
    v[0] = load_part<N>(p);
  }
}

// The reverse, times `scale`.
template <int N, class T>
TILE_FN void store_step(RowStep<N>, T* p, const float* values, VecF32 scale) {
  const VecF32 first = *(const VecF32*)values * scale;
  if constexpr (RowStep<N>::vectors == 2) {
    VecF32 low, high;
    interleave(first, *(const VecF32*)(values + kLanes) * scale, low, high);
    store(p, low);
    store(p + kLanes, high);
  } else {
    store_part<N>(p, first);
  }
}

}  // namespace tile
