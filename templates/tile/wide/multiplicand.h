// What a stored element becomes inside a product, and the multiply-add on it.
//
// f32 stays; f16 and bf16 are widened to f32 when they are staged; with AVX-512's bf16 dot product
// two consecutive bf16 along k share a 32-bit lane, and one instruction does both.
//
// TILE_PAIRED_BF16 forces the paired format where the instruction is missing, so that its code path
// can be run anywhere.

#pragma once

#include "tile/wide/vector.h"

#if defined(__AVX512BF16__) && TILE_LANES == 16
#define TILE_PAIRED_BF16 1
#endif

namespace tile {

template <class T>
struct Multiplicand {
  using Lane = float;
  using Vector = VecF32;
  static constexpr int kPerLane = 1;
};

#if TILE_PAIRED_BF16
template <>
struct Multiplicand<bf16> {
  using Lane = u32;
  using Vector = VecU32;
  static constexpr int kPerLane = 2;
};
#endif

TILE_FN VecF32 multiply_add(VecF32 c, VecF32 a, float b) {
  return xfma(a, splat(b), c);
}

TILE_FN VecF32 multiply_add(VecF32 c, VecU32 a, VecU32 b) {
#if defined(__AVX512BF16__) && TILE_LANES == 16
  typedef __bf16 Pairs __attribute__((vector_size(64)));
  return __builtin_ia32_dpbf16ps_512(c, (Pairs)a, (Pairs)b);
#else
  const VecU32 high = splat(0xffff0000u);
  c = xfma((VecF32)(a << 16), (VecF32)(b << 16), c);
  return xfma((VecF32)(a & high), (VecF32)(b & high), c);
#endif
}
TILE_FN VecF32 multiply_add(VecF32 c, VecU32 a, u32 b) {
  return multiply_add(c, a, splat(b));
}
TILE_FN VecF32 multiply_add(VecF32 c, VecF32 a, VecF32 b) {
  return xfma(a, b, c);
}

// Two columns of p >= 0 as pairs; ties away from zero, which costs no accuracy that bf16 has.
TILE_FN VecU32 pair_up(VecF32 first, VecF32 second) {
  return (((VecU32)first + 0x8000) >> 16) | (((VecU32)second + 0x8000) & 0xffff0000);
}

}  // namespace tile
