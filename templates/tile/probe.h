// What a GPU's multiply-adds and matrix units give at this moment: kernels that do nothing else, on
// registers alone. Not tuned: their rate is what variants are measured against.
//
// Every thread keeps `kChains` sums that wait for nobody, so that a multiprocessor with a few
// blocks has always something to issue. Operations of a block and iteration are counted in
// devices/gpu/gpu_probe.cpp.
//
// Config: int threads (of a block), Fragment fragment.

#pragma once

#include "tile/schedule.h"

namespace tile::probe {

inline constexpr int kChains = 8;
inline constexpr int kRepeats = 8;  // of every chain in an iteration

struct Args {
  Tensor<1> out;  // f32, one element a thread: what is never written could be left out
  i64 iterations;
};

struct MultiplyAdd {
  using Args = probe::Args;
  static constexpr const char* name = "multiply_add";
};
struct MatrixProduct {
  using Args = probe::Args;
  static constexpr const char* name = "matrix_product";
};

template <class Config>
TILE_FN void keep(const Target& t, const Args& args, float value) {
  const i64 at = t.block(0) * Config::threads + t.thread();
  t.stg((float*)args.out.data + at, __builtin_bit_cast(u32, value));
}

// Elements of the sums a lane holds, and registers of the operands (tile/simt/target.h).
constexpr int sums_of(Fragment fragment) {
  return fragment == Fragment::mma_m16n8k16 || fragment == Fragment::mfma_16x16x16 ? 4 : 8;
}

// Of the target's instructions only this one is there: none of the others may be looked at.
template <Fragment F, class Tgt>
TILE_FN void multiply(const Tgt& t, float* sums, const u32* left, const u32* right) {
  if constexpr (F == Fragment::mma_m16n8k16) {
    t.template mma_m16n8k16<f16>(sums, left, right);
  } else if constexpr (F == Fragment::mfma_16x16x16) {
    t.template mfma_16x16x16<f16>(sums, left, right);
  } else if constexpr (F == Fragment::wmma_gfx11) {
    t.template wmma_gfx11<f16>(sums, left, right);
  } else {
    t.template wmma_gfx12<f16>(sums, left, right);
  }
}

}  // namespace tile::probe

namespace tile {

template <class Config>
struct EntryOf<probe::MultiplyAdd, Config> {
  static constexpr int kThreads = Config::threads;
  static constexpr u32 scratchpad() { return 0; }

  static TILE_FN void run(const Target& t, const probe::Args& args) {
    // Not known to the compiler, and small: sums stay finite.
    const float factor = (float)args.iterations * 1e-20f;
    float sum[probe::kChains];
    TILE_UNROLL
    for (int c = 0; c < probe::kChains; ++c)
      sum[c] = (float)(t.thread() + c);
    TILE_ROLL
    for (i64 i = 0; i < args.iterations; ++i) {
      TILE_UNROLL
      for (int r = 0; r < probe::kRepeats; ++r) {
        TILE_UNROLL
        for (int c = 0; c < probe::kChains; ++c)
          sum[c] = Target::fma(sum[c], factor, factor);
      }
    }
    float total = 0;
    TILE_UNROLL
    for (int c = 0; c < probe::kChains; ++c)
      total += sum[c];
    probe::keep<Config>(t, args, total);
  }
};

template <class Config>
struct EntryOf<probe::MatrixProduct, Config> {
  static constexpr int kThreads = Config::threads;
  static constexpr u32 scratchpad() { return 0; }

  static TILE_FN void run(const Target& t, const probe::Args& args) {
    constexpr int kSums = probe::sums_of(Config::fragment), kOperand = 8;
    // Zeros: sums stay zero, whatever the compiler cannot know.
    u32 operand[kOperand];
    TILE_UNROLL
    for (int r = 0; r < kOperand; ++r)
      operand[r] = (u32)(args.iterations >> 40);
    float sum[probe::kChains][kSums];
    TILE_UNROLL
    for (int c = 0; c < probe::kChains; ++c) {
      TILE_UNROLL
      for (int e = 0; e < kSums; ++e)
        sum[c][e] = 0;
    }
    TILE_ROLL
    for (i64 i = 0; i < args.iterations; ++i) {
      TILE_UNROLL
      for (int c = 0; c < probe::kChains; ++c)
        probe::multiply<Config::fragment>(t, sum[c], operand, operand);
    }
    float total = 0;
    TILE_UNROLL
    for (int c = 0; c < probe::kChains; ++c) {
      TILE_UNROLL
      for (int e = 0; e < kSums; ++e)
        total += sum[c][e];
    }
    probe::keep<Config>(t, args, total);
  }
};

}  // namespace tile
