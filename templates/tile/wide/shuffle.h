// Movements between lanes, generic in the lane count.

#pragma once

#include "tile/wide/vector.h"

namespace tile {

namespace detail {

template <int... I>
struct Indices {};
template <class T, T... I>
using IndicesOf = Indices<I...>;
using LaneIndices = __make_integer_seq<IndicesOf, int, kLanes>;

// Exchanges the blocks of S lanes off the diagonal of the pair (a, b).
template <int S, class V, int... I>
TILE_FN void butterfly(V& a, V& b, Indices<I...>) {
  const V t = __builtin_shufflevector(a, b, ((I & S) ? kLanes + I - S : I)...);
  b = __builtin_shufflevector(a, b, ((I & S) ? kLanes + I : I + S)...);
  a = t;
}

template <int S, class V>
TILE_FN void transpose_stages(V (&r)[kLanes]) {
  TILE_UNROLL
  for (int g = 0; g < kLanes; g += 2 * S) {
    TILE_UNROLL
    for (int i = 0; i < S; ++i)
      butterfly<S>(r[g + i], r[g + i + S], LaneIndices{});
  }
  if constexpr (S > 1) transpose_stages<S / 2>(r);
}

template <class V, int... I>
TILE_FN void interleave(V a, V b, V& low, V& high, Indices<I...>) {
  low = __builtin_shufflevector(a, b, (I / 2 + I % 2 * kLanes)...);
  high = __builtin_shufflevector(a, b, (kLanes / 2 + I / 2 + I % 2 * kLanes)...);
}

template <int S>
TILE_FN VecF32 sum_stages(VecF32 (&r)[kLanes]) {
  TILE_UNROLL
  for (int i = 0; i < S; ++i) {
    butterfly<S>(r[i], r[i + S], LaneIndices{});
    r[i] += r[i + S];
  }
  if constexpr (S > 1) {
    return sum_stages<S / 2>(r);
  } else {
    return r[0];
  }
}

template <int S, class F, int... I>
TILE_FN VecF32 fold(VecF32 x, F f, Indices<I...> lanes) {
  x = f(x, __builtin_shufflevector(x, x, (I ^ S)...));
  if constexpr (S > 1) {
    return fold<S / 2>(x, f, lanes);
  } else {
    return x;
  }
}

}  // namespace detail

// Of a square of 32-bit lanes: lane j of r[i] goes to lane i of r[j].
template <class V>
TILE_FN void transpose(V (&r)[kLanes]) {
  detail::transpose_stages<kLanes / 2>(r);
}

// a and b become the even and the odd lanes of two vectors.
template <class V>
TILE_FN void interleave(V a, V b, V& low, V& high) {
  detail::interleave(a, b, low, high, detail::LaneIndices{});
}

// Lane i of the result is the sum of the lanes of r[i]; r is used up.
TILE_FN VecF32 sums(VecF32 (&r)[kLanes]) {
  return detail::sum_stages<kLanes / 2>(r);
}

TILE_FN float lane_sum(VecF32 x) {
  return detail::fold<kLanes / 2>(
      x, [](VecF32 a, VecF32 b) { return a + b; }, detail::LaneIndices{})[0];
}
TILE_FN float lane_max(VecF32 x) {
  return detail::fold<kLanes / 2>(
      x, [](VecF32 a, VecF32 b) { return a > b ? a : b; }, detail::LaneIndices{})[0];
}

}  // namespace tile
