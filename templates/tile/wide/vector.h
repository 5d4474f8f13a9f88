// Vectors of 32-bit lanes, sized by the instruction set: 16 lanes with AVX-512, 8 with AVX2,
// else 4.
//
// TILE_LANES overrides the width, so that the code path of a wider machine can be run on a narrower
// one: nothing below asks for the width to learn what instructions exist, only for feature macros.
// Loads and stores take any address aligned to the element; `n` of a partial access counts lanes
// (0 <= n <= kLanes), and memory outside these lanes is neither read nor written.

#pragma once

#include "tile/core.h"

#if !defined(TILE_LANES)
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define TILE_LANES 16
#elif defined(__AVX2__)
#define TILE_LANES 8
#else
#define TILE_LANES 4
#endif
#endif

#if TILE_LANES == 16 && defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define TILE_MASKED_ACCESS 1
#endif

// Every function below is inlined, so that no vector wider than a register crosses a call.
#pragma clang diagnostic ignored "-Wpsabi"

namespace tile {

inline constexpr int kLanes = TILE_LANES;
inline constexpr int kVectorBytes = 4 * kLanes;

typedef float VecF32 __attribute__((vector_size(4 * TILE_LANES)));
typedef i32 VecI32 __attribute__((vector_size(4 * TILE_LANES)));
typedef u32 VecU32 __attribute__((vector_size(4 * TILE_LANES)));
typedef u16 VecU16 __attribute__((vector_size(2 * TILE_LANES)));
typedef _Float16 VecF16 __attribute__((vector_size(2 * TILE_LANES)));

typedef VecF32 VecF32Unaligned __attribute__((aligned(4)));
typedef VecU32 VecU32Unaligned __attribute__((aligned(4)));
typedef VecU16 VecU16Unaligned __attribute__((aligned(2)));

// x - 0 is x for every x, which x + 0 is not for -0.
TILE_FN VecF32 splat(float x) {
  return x - VecF32{};
}
TILE_FN VecI32 splat(i32 x) {
  return x - VecI32{};
}
TILE_FN VecU32 splat(u32 x) {
  return x - VecU32{};
}

TILE_FN VecI32 lane_index() {
  VecI32 v;
  TILE_UNROLL
  for (int i = 0; i < kLanes; ++i)
    v[i] = i;
  return v;
}

}  // namespace tile

#include "tile/wide/convert.h"
#include "tile/wide/elementary.h"
#include "tile/wide/memory.h"
#include "tile/wide/shuffle.h"
