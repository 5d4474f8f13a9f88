// Element functions for scalars: the names that kernels' maps use in every lowering. Built on the
// target's exp2 and log; the polynomials are those of the wide lowering (wide/elementary.h).

#pragma once

#include "tile/simt/target.h"

namespace tile {

TILE_FN float select(bool c, float a, float b) {
  return c ? a : b;
}
TILE_FN float xmax(float a, float b) {
  return a > b ? a : b;
}
TILE_FN float xmin(float a, float b) {
  return a < b ? a : b;
}
TILE_FN float xabs(float a) {
  return __builtin_bit_cast(float, __builtin_bit_cast(u32, a) & 0x7fffffffu);
}
TILE_FN float with_sign_of(float magnitude, float x) {
  return __builtin_bit_cast(
      float, __builtin_bit_cast(u32, magnitude) | (__builtin_bit_cast(u32, x) & 0x80000000u));
}
TILE_FN float xfma(float a, float b, float c) {
  return Target::fma(a, b, c);
}

// 2^x for x < 127; relative error of the target's instruction.
TILE_FN float xexp2_below(float x) {
  return Target::exp2(x);
}
TILE_FN float xexp2(float x) {
  return Target::exp2(x);
}
TILE_FN float xexp(float x) {
  return Target::exp2(x * 1.44269504088896341f);
}
TILE_FN float xlog(float x) {
  return Target::log(x);
}

// tanh x: near 0 from an odd polynomial, since 1 - e^(-2|x|) cancels there.
TILE_FN float xtanh(float x) {
  const float a = xabs(x);
  const float e = xexp2(a * -2.88539008177792681f);
  const float far = (1.f - e) / (1.f + e);
  const float z = x * x;
  float p = -5.704987176e-03f;  // of (tanh x - x) / x^3 on [0, 0.625]: 4.4e-9
  p = xfma(p, z, 2.063908740e-02f);
  p = xfma(p, z, -5.373971513e-02f);
  p = xfma(p, z, 1.333144220e-01f);
  p = xfma(p, z, -3.333328194e-01f);
  return a < 0.625f ? xfma(p * z, x, x) : with_sign_of(far, x);
}

// erf x: absolute error 6e-7 (Abramowitz and Stegun 7.1.26).
TILE_FN float xerf(float x) {
  const float a = xabs(x);
  const float t = 1.f / xfma(a, 0.3275911f, 1.f);
  float p = 1.061405429f;
  p = xfma(p, t, -1.453152027f);
  p = xfma(p, t, 1.421413741f);
  p = xfma(p, t, -0.284496736f);
  p = xfma(p, t, 0.254829592f);
  return with_sign_of(1.f - p * t * xexp2(a * a * -1.44269504088896341f), x);
}

// x Phi(x), the exact (not the tanh) form.
TILE_FN float xgelu(float x) {
  return 0.5f * x * (1.f + xerf(x * 0.70710678118654752f));
}

TILE_FN float xsilu(float x) {
  return x / (1.f + xexp2(x * -1.44269504088896341f));
}

}  // namespace tile
