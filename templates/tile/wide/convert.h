// Conversion between stored elements and f32 lanes, to nearest even.
//
// Subnormal values of f16 are kept (of bf16 not everywhere), NaN stays NaN, and what exceeds the
// range of f16 becomes infinite. Where the instruction set has no conversion, integer arithmetic
// does the same.

#pragma once

#include "tile/wide/vector.h"

namespace tile {

#if defined(__F16C__) || defined(__AVX512F__)
#define TILE_HALF_CONVERSION 1
#endif

TILE_FN VecF32 widen(VecU16 bits, bf16) {
  return (VecF32)(__builtin_convertvector(bits, VecU32) << 16);
}

TILE_FN VecF32 widen(VecU16 bits, f16) {
#if TILE_HALF_CONVERSION
  return __builtin_convertvector((VecF16)bits, VecF32);
#else
  const VecU32 h = __builtin_convertvector(bits, VecU32);
  const VecU32 magnitude = (h & 0x7fff) << 13;
  // The exponent's bias differs by 112; multiplying by 2^112 also normalises subnormal values.
  const VecF32 scaled = (VecF32)magnitude * splat(__builtin_bit_cast(float, 0x77800000u));
  const VecU32 special = magnitude >= 0x0f800000 ? splat(0x7f800000u) : VecU32{};
  return (VecF32)((VecU32)scaled | special | (h & 0x8000) << 16);
#endif
}

TILE_FN VecU16 narrow(VecF32 x, bf16) {
#if defined(__AVX512BF16__) && TILE_LANES == 16
  typedef __bf16 Half __attribute__((vector_size(32)));
  return (VecU16)__builtin_ia32_cvtneps2bf16_512_mask(x, Half{}, (u16)-1);  // subnormals become 0
#else
  const VecU32 u = (VecU32)x;
  const VecU32 rounded = (u + (0x7fff + ((u >> 16) & 1))) >> 16;
  const VecU32 quiet = (u >> 16) | 0x40;
  return __builtin_convertvector(x == x ? rounded : quiet, VecU16);
#endif
}

TILE_FN VecU16 narrow(VecF32 x, f16) {
#if TILE_HALF_CONVERSION
  return (VecU16) __builtin_convertvector(x, VecF16);
#else
  const VecU32 u = (VecU32)x, magnitude = u & 0x7fffffff, sign = (u >> 16) & 0x8000;
  const VecU32 normal = (magnitude - (112u << 23) + (0xfff + ((magnitude >> 13) & 1))) >> 13;
  // Adding 1/2 leaves a subnormal result's bits, rounded, at the end of the sum's fraction.
  const VecU32 subnormal = (VecU32)((VecF32)magnitude + splat(0.5f)) - 0x3f000000;
  VecU32 h = magnitude < 0x38800000 ? subnormal : normal;
  h = magnitude >= 0x477ff000 ? splat(0x7c00u) : h;
  h = magnitude > 0x7f800000 ? splat(0x7e00u) : h;
  return __builtin_convertvector(h | sign, VecU16);
#endif
}

TILE_FN float to_float(float x) {
  return x;
}
TILE_FN float to_float(bf16 x) {
  return __builtin_bit_cast(float, (u32)x.bits << 16);
}
TILE_FN float to_float(f16 x) {
  VecU16 v = {};
  v[0] = x.bits;
  return widen(v, f16{})[0];
}

template <class T>
TILE_FN T from_float(float x) {
  if constexpr (kSame<T, float>) {
    return x;
  } else {
    return T{narrow(splat(x), T{})[0]};
  }
}

}  // namespace tile
