// Elements and runs of elements of a row in global memory, whatever its alignment.

#pragma once

#include "tile/simt/elementary.h"

namespace tile {

namespace detail {
template <int Bytes>
struct Bits {
  using Type = u16;
};
template <>
struct Bits<4> {
  using Type = u32;
};
}  // namespace detail

// What an element is moved as.
template <class T>
using BitsOf = typename detail::Bits<sizeof(T)>::Type;

template <class T>
TILE_FN float element_value(const Target& t, BitsOf<T> bits) {
  if constexpr (kSame<T, float>) {
    return __builtin_bit_cast(float, bits);
  } else {
    return t.template widen<T>(bits);
  }
}
template <class T>
TILE_FN BitsOf<T> element_bits(const Target& t, float x) {
  if constexpr (kSame<T, float>) {
    return __builtin_bit_cast(u32, x);
  } else {
    return (u16)t.template pack<T>(x, x);
  }
}
template <class T>
TILE_FN float load_element(const Target& t, const T* p) {
  return element_value<T>(t, t.template ldg<BitsOf<T>>(p));
}
template <class T>
TILE_FN void store_element(const Target& t, T* p, float x) {
  t.stg(p, element_bits<T>(t, x));
}

// The 4 * N bytes from p on, in the widest accesses that `aligned` (to 4 * N bytes) allows; else
// element by element. Elements from `count` on are 0 and not read.
template <int N, class T>
TILE_FN Words<N> load_words(const Target& t, const T* p, int count, bool aligned) {
  constexpr int kElements = 4 * N / (int)sizeof(T);
  if (aligned && count >= kElements) return t.template ldg<Words<N>>(p);
  Words<N> w = {};
  if constexpr (sizeof(T) == 2) {
    TILE_UNROLL
    for (int i = 0; i < kElements; ++i)
      if (i < count) w.x[i / 2] |= (u32)t.template ldg<u16>(p + i) << (i % 2 * 16);
  } else {
    TILE_UNROLL
    for (int i = 0; i < kElements; ++i)
      if (i < count) w.x[i] = t.template ldg<u32>(p + i);
  }
  return w;
}

// Whether every row of a view begins at a multiple of `bytes`, a power of two.
template <class View>
TILE_FN bool rows_aligned(const View& view, int bytes) {
  return (view.address_bits() & ((u64)bytes - 1)) == 0;
}

}  // namespace tile
