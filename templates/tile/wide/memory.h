// Loads and stores of lanes: whole vectors, the first lanes of one, and stores that bypass the
// cache.

#pragma once

#include "tile/wide/convert.h"

namespace tile {

namespace detail {

// The first n elements of 16 or 32 bits, in pieces of powers of two: no access leaves the n
// elements and no loop is left that a compiler would turn into a library call.
template <int Piece, class T>
TILE_FN void copy_first(T* to, const T* from, int n) {
  if (n & Piece) __builtin_memcpy(to, from, Piece * sizeof(T));
  if constexpr (Piece > 1) {
    const int done = n & Piece;
    copy_first<Piece / 2>(to + done, from + done, n);
  }
}

template <class V, class T>
TILE_FN V load_bits_first(const T* p, int n) {
  alignas(kVectorBytes) T lanes[kLanes] = {};
  copy_first<kLanes>(lanes, p, n);
  return *(const V*)lanes;
}

}  // namespace detail

template <class T>
TILE_FN VecF32 load(const T* p) {
  if constexpr (kSame<T, float>) {
    return *(const VecF32Unaligned*)p;
  } else {
    return widen(*(const VecU16Unaligned*)p, T{});
  }
}

// The first n lanes; the others are 0.
template <class T>
TILE_FN VecF32 load_first(const T* p, int n) {
  if constexpr (kSame<T, float>) {
#if TILE_MASKED_ACCESS
    return __builtin_ia32_loadups512_mask(p, VecF32{}, (u16)((1u << n) - 1));
#elif defined(__AVX2__) && TILE_LANES == 8
    typedef i32 Mask __attribute__((vector_size(32)));
    return __builtin_ia32_maskloadps256((const VecF32*)p, (Mask)(lane_index() < n));
#else
    return detail::load_bits_first<VecF32>(p, n);
#endif
  } else {
#if TILE_MASKED_ACCESS
    typedef short Half __attribute__((vector_size(32)));
    return widen(
        (VecU16)__builtin_ia32_loaddquhi256_mask((const Half*)p, Half{}, (u16)((1u << n) - 1)),
        T{});
#else
    return widen(detail::load_bits_first<VecU16>((const u16*)p, n), T{});
#endif
  }
}

// N lanes, known when compiled.
template <int N, class T>
TILE_FN VecF32 load_part(const T* p) {
  if constexpr (N >= kLanes) {
    return load(p);
  } else {
    return load_first(p, N);
  }
}

template <class T>
TILE_FN void store(T* p, VecF32 x) {
  if constexpr (kSame<T, float>) {
    *(VecF32Unaligned*)p = x;
  } else {
    *(VecU16Unaligned*)p = narrow(x, T{});
  }
}

template <class T>
TILE_FN void store_first(T* p, VecF32 x, int n) {
  if constexpr (kSame<T, float>) {
#if TILE_MASKED_ACCESS
    __builtin_ia32_storeups512_mask(p, x, (u16)((1u << n) - 1));
#elif defined(__AVX2__) && TILE_LANES == 8
    typedef i32 Mask __attribute__((vector_size(32)));
    __builtin_ia32_maskstoreps256((VecF32*)p, (Mask)(lane_index() < n), x);
#else
    detail::copy_first<kLanes>(p, (const float*)&x, n);
#endif
  } else {
    const VecU16 bits = narrow(x, T{});
#if TILE_MASKED_ACCESS
    typedef short Half __attribute__((vector_size(32)));
    __builtin_ia32_storedquhi256_mask((Half*)p, (Half)bits, (u16)((1u << n) - 1));
#else
    detail::copy_first<kLanes>((u16*)p, (const u16*)&bits, n);
#endif
  }
}

template <int N, class T>
TILE_FN void store_part(T* p, VecF32 x) {
  if constexpr (N >= kLanes) {
    store(p, x);
  } else {
    store_first(p, x, N);
  }
}

// A store that does not bring the line into the cache where the address allows it. Other threads
// may read what was written after `stream_fence`.
template <class T>
TILE_FN void stream(T* p, VecF32 x) {
  if (((u64)p & (sizeof(T) * kLanes - 1)) != 0) {
    store(p, x);
  } else if constexpr (kSame<T, float>) {
    __builtin_nontemporal_store(x, (VecF32*)p);
  } else {
    __builtin_nontemporal_store(narrow(x, T{}), (VecU16*)p);
  }
}

TILE_FN void stream_fence() {
#if defined(__SSE__)
  __builtin_ia32_sfence();
#endif
}

}  // namespace tile
