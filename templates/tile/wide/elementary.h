// Element functions: the same names exist for scalars in every lowering, so that a kernel's element
// maps read alike. Constants of the polynomials are minimax fits (relative error of the fit beside
// each).

#pragma once

#include "tile/wide/vector.h"

namespace tile {

TILE_FN float select(bool c, float a, float b) {
  return c ? a : b;
}
TILE_FN VecF32 select(bool c, VecF32 a, VecF32 b) {
  return c ? a : b;
}
TILE_FN VecF32 select(bool c, VecF32 a, float b) {
  return c ? a : splat(b);
}
TILE_FN VecF32 select(VecI32 c, VecF32 a, VecF32 b) {
  return c ? a : b;
}
TILE_FN VecF32 select(VecI32 c, VecF32 a, float b) {
  return c ? a : splat(b);
}
TILE_FN VecF32 select(VecI32 c, float a, VecF32 b) {
  return c ? splat(a) : b;
}

// Comparisons, not fmax: one instruction, and a NaN in `a` gives `b`.
TILE_FN float xmax(float a, float b) {
  return a > b ? a : b;
}
TILE_FN float xmin(float a, float b) {
  return a < b ? a : b;
}
TILE_FN VecF32 xmax(VecF32 a, VecF32 b) {
  return a > b ? a : b;
}
TILE_FN VecF32 xmin(VecF32 a, VecF32 b) {
  return a < b ? a : b;
}
TILE_FN VecF32 xmax(VecF32 a, float b) {
  return xmax(a, splat(b));
}
TILE_FN VecF32 xmin(VecF32 a, float b) {
  return xmin(a, splat(b));
}
TILE_FN float xabs(float a) {
  return __builtin_bit_cast(float, __builtin_bit_cast(u32, a) & 0x7fffffff);
}
TILE_FN VecF32 xabs(VecF32 a) {
  return (VecF32)((VecU32)a & 0x7fffffff);
}

// a b + c, with one rounding where the instruction set has it.
TILE_FN VecF32 xfma(VecF32 a, VecF32 b, VecF32 c) {
#if defined(__FMA__) || defined(__AVX512F__)
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}
TILE_FN VecF32 xfma(VecF32 a, float b, VecF32 c) {
  return xfma(a, splat(b), c);
}
TILE_FN VecF32 xfma(VecF32 a, VecF32 b, float c) {
  return xfma(a, b, splat(c));
}
TILE_FN VecF32 xfma(VecF32 a, float b, float c) {
  return xfma(a, splat(b), splat(c));
}
TILE_FN float xfma(float a, float b, float c) {
  return xfma(splat(a), splat(b), splat(c))[0];
}

namespace detail {

// 2^f for f in [-1/2, 1/2], to 7.5e-8.
TILE_FN VecF32 exp2_fraction(VecF32 f) {
  VecF32 p = splat(1.327647191e-03f);
  p = xfma(p, f, 9.675541334e-03f);
  p = xfma(p, f, 5.550713274e-02f);
  p = xfma(p, f, 2.402211972e-01f);
  p = xfma(p, f, 6.931469671e-01f);
  return xfma(p, f, 1.000000072f);
}

#if TILE_MASKED_ACCESS
// a 2^exponent where x > least, else 0.
TILE_FN VecF32 scale_where_greater(VecF32 x, float least, VecF32 a, VecF32 exponent) {
  constexpr int kGreater = 0x1e, kCurrentRounding = 4;
  const u16 mask =
      __builtin_ia32_cmpps512_mask(x, splat(least), kGreater, (u16)-1, kCurrentRounding);
  return __builtin_ia32_scalefps512_mask(a, exponent, VecF32{}, mask, kCurrentRounding);
}
#endif

}  // namespace detail

// 2^x for x < 127: relative error 1.5e-7; 0 below -126.5.
TILE_FN VecF32 xexp2_below(VecF32 x) {
#if TILE_MASKED_ACCESS
  const VecF32 whole = __builtin_elementwise_roundeven(x);
  return detail::scale_where_greater(x, -126.5f, detail::exp2_fraction(x - whole), whole);
#else
  // Adding 1.5 * 2^23 rounds to an integer and leaves it, with the exponent's bias, in the low
  // bits.
  x = xmax(x, -127.f);
  const VecF32 kRound = splat(12582912.f + 127.f);
  const VecF32 t = x + kRound;
  return detail::exp2_fraction(x - (t - kRound)) * (VecF32)((VecU32)t << 23);
#endif
}

// 2^x: infinite from 127.5.
TILE_FN VecF32 xexp2(VecF32 x) {
  return xexp2_below(xmin(x, 128.f));
}
TILE_FN float xexp2(float x) {
  return xexp2(splat(x))[0];
}

TILE_FN VecF32 xexp(VecF32 x) {
  return xexp2(x * 1.44269504088896341f);
}
TILE_FN float xexp(float x) {
  return xexp2(x * 1.44269504088896341f);
}

// ln x for x >= 0: relative error 2e-7; -inf at 0 and below, inf at inf. Subnormal x counts as 0.
TILE_FN VecF32 xlog(VecF32 x) {
  const VecU32 kRootHalf = splat(0x3f3504f3u);
  const VecI32 e = (VecI32)((VecU32)x - kRootHalf) >> 23;
  const VecF32 f = (VecF32)((VecI32)x - (e << 23)) - 1.f;
  VecF32 p = splat(6.746641341e-02f);  // of (ln(1+f) - f + f^2/2) / f^3: 7.5e-10
  p = xfma(p, f, -1.167565205e-01f);
  p = xfma(p, f, 1.188816201e-01f);
  p = xfma(p, f, -1.240558887e-01f);
  p = xfma(p, f, 1.421955239e-01f);
  p = xfma(p, f, -1.666799586e-01f);
  p = xfma(p, f, 2.000211866e-01f);
  p = xfma(p, f, -2.500000960e-01f);
  p = xfma(p, f, 3.333331260e-01f);
  const VecF32 f2 = f * f;
  const VecF32 n = __builtin_convertvector(e, VecF32);
  VecF32 y = xfma(n, -2.12194440e-4f, p * f2 * f);  // ln 2 in two parts, the first exact times n
  y = xfma(n, 0.693359375f, xfma(f2, -0.5f, y) + f);
  y = x >= splat(__builtin_bit_cast(float, 0x00800000u)) ? y : splat(-kInf);
  return x == splat(kInf) ? x : y;
}
TILE_FN float xlog(float x) {
  return xlog(splat(x))[0];
}

// tanh x: relative error 3e-7. Near 0 from an odd polynomial, since 1 - e^(-2|x|) cancels there.
TILE_FN VecF32 xtanh(VecF32 x) {
  const VecF32 a = xabs(x);
  const VecF32 e = xexp2(a * -2.88539008177792681f);
  const VecF32 far = (1.f - e) / (1.f + e);
  const VecF32 z = x * x;
  VecF32 p = splat(-5.704987176e-03f);  // of (tanh x - x) / x^3 on [0, 0.625]: 4.4e-9
  p = xfma(p, z, 2.063908740e-02f);
  p = xfma(p, z, -5.373971513e-02f);
  p = xfma(p, z, 1.333144220e-01f);
  p = xfma(p, z, -3.333328194e-01f);
  const VecF32 near = xfma(p * z, x, x);
  const VecF32 signed_far = (VecF32)((VecU32)far | ((VecU32)x & 0x80000000));
  return a < 0.625f ? near : signed_far;
}
TILE_FN float xtanh(float x) {
  return xtanh(splat(x))[0];
}

// erf x: absolute error 6e-7 (Abramowitz and Stegun 7.1.26).
TILE_FN VecF32 xerf(VecF32 x) {
  const VecF32 a = xabs(x);
  const VecF32 t = 1.f / xfma(a, 0.3275911f, 1.f);
  VecF32 p = splat(1.061405429f);
  p = xfma(p, t, -1.453152027f);
  p = xfma(p, t, 1.421413741f);
  p = xfma(p, t, -0.284496736f);
  p = xfma(p, t, 0.254829592f);
  const VecF32 y = 1.f - p * t * xexp2(a * a * -1.44269504088896341f);
  return (VecF32)((VecU32)y | ((VecU32)x & 0x80000000));
}

// x Phi(x), the exact (not the tanh) form.
TILE_FN VecF32 xgelu(VecF32 x) {
  return 0.5f * x * (1.f + xerf(x * 0.70710678118654752f));
}

TILE_FN VecF32 xsilu(VecF32 x) {
  return x / (1.f + xexp2(x * -1.44269504088896341f));
}

}  // namespace tile
