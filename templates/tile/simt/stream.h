// The key loop: stages chunks of both right operands in slots of scratchpad, and does all waiting.
//
// With asynchronous copies `stages` slots form a ring: while one is used, the copies of the next
// stages - 1 chunks are in flight, a group a chunk. Otherwise a chunk passes through registers: it
// is fetched while the one before is used. A slot is dead, and said to be, at the barrier after
// which it may be filled again.
//
// On return, scratchpad may still be read by slower warps: a barrier must come before it is
// written.

#pragma once

#include "tile/simt/tiles_block.h"

namespace tile {

template <class C>
template <int BM, int BN, class T, int D, int DV, class KView, class VView, class Score,
          class Soften, class Turn, class Accumulate>
TILE_FN void TilesBlock<C>::stream(i64 lo, i64 hi, const SimtRow<S, BM, i32>&, const KView& k,
                                   const VView& v, Score score, Soften soften, Turn turn,
                                   Accumulate accumulate, Where where) const {
  static_assert(footprint::keys_fit_atoms(BN), "block_n must be a multiple of 16");
  static_assert(footprint::fragment_suits(C::fragment, (int)sizeof(T)),
                "f32 takes the fma fragment, 16-bit types take a matrix instruction");
  static_assert(footprint::swizzle_possible(C::fragment, C::swizzle));
  constexpr bool kAsync = footprint::copies_async(C::fragment, Target::kAsyncCopy);
  constexpr int kStages = C::stages;
  static_assert(footprint::stages_possible(kStages, kAsync));
  using Keys = typename A::template RightRows<T, BN, footprint::up_to(D, 16), C::swizzle>;
  using Values = typename A::template RightColumns<T, BN, footprint::up_to(DV, 16), C::swizzle>;
  using KeyStage = Stage<T, Keys, D, kThreads>;
  using ValueStage = Stage<T, Values, DV, kThreads>;
  constexpr u32 kSlot = Keys::kBytes + Values::kBytes;

  const WhereScope scope(t_, where);
  const bool k_aligned = rows_aligned(k, 16), v_aligned = rows_aligned(v, 16);
  auto use = [&](i64 n0, u32 slot) {
    Accum<BM, BN> s;
    Row<BM> alpha = row<BM>(1.f);
    score(s, StagedRef<T, Keys>{slot * kSlot});
    soften(n0, s, alpha);
    auto&& p = turn(s, alpha);
    accumulate(p, StagedRef<T, Values>{slot * kSlot + Keys::kBytes});
  };

  if constexpr (kAsync) {
    auto issue = [&](i64 n0, u32 slot) {
      if (n0 < hi) {
        KeyStage::copy(t_, slot * kSlot, k, n0, k_aligned);
        ValueStage::copy(t_, slot * kSlot + Keys::kBytes, v, n0, v_aligned);
      }
      t_.copy_commit();
    };
    if constexpr (kStages == 1) {
      TILE_ROLL
      for (i64 n0 = lo; n0 < hi; n0 += BN) {
        issue(n0, 0);
        t_.template copy_wait<0>();
        t_.block_barrier();
        use(n0, 0);
        t_.retire(0, kSlot);
        t_.block_barrier();
      }
    } else {
      constexpr u32 kAhead = kStages - 1;
      TILE_UNROLL
      for (u32 s = 0; s < kAhead; ++s)
        issue(lo + s * BN, s);
      u32 slot = 0;
      TILE_ROLL
      for (i64 n0 = lo; n0 < hi; n0 += BN) {
        const u32 next = slot + kAhead < kStages ? slot + kAhead : slot + kAhead - kStages;
        t_.template copy_wait<kAhead - 1>();
        t_.retire(next * kSlot, kSlot);
        t_.block_barrier();
        issue(n0 + kAhead * BN, next);
        use(n0, slot);
        slot = slot + 1 == kStages ? 0 : slot + 1;
      }
      t_.template copy_wait<0>();
    }
  } else {
    KeyStage keys;
    ValueStage values;
    auto fetch = [&](i64 n0) {
      keys.fetch(t_, k, n0, k_aligned);
      values.fetch(t_, v, n0, v_aligned);
    };
    if (lo < hi) fetch(lo);
    u32 slot = 0;
    TILE_ROLL
    for (i64 n0 = lo; n0 < hi; n0 += BN) {
      keys.put(t_, slot * kSlot);
      values.put(t_, slot * kSlot + Keys::kBytes);
      if constexpr (kStages == 2) t_.retire((slot ^ 1) * kSlot, kSlot);
      t_.block_barrier();
      if (n0 + BN < hi) fetch(n0 + BN);
      use(n0, slot);
      if constexpr (kStages == 1) {
        t_.retire(0, kSlot);
        t_.block_barrier();
      } else {
        slot ^= 1;
      }
    }
  }
}

}  // namespace tile
