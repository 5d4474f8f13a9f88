// The key loop: chunks of both right operands pass through scratchpad, copied by all warps
// (tile/simt/ring.h) or by a producer (tile/simt/roles.h).

#pragma once

#include "tile/simt/chunks.h"
#include "tile/simt/ring.h"
#include "tile/simt/tiles_block.h"
#include "tile/simt/turns.h"

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
  static_assert(footprint::stages_possible(C::stages, kAsync));
  static_assert(footprint::staging_possible(C::staging, C::stages, kAsync, Target::kLanes));
  const WhereScope scope(t_, where);
  if constexpr (kRoles != Roles::alike) {
    consume<BM, BN, T, D, DV>(lo, hi, has_boxes(k) && has_boxes(v), score, soften, turn,
                              accumulate);
  } else {
    using Keys = KeyTile<BN, T, D>;
    using Values = ValueTile<BN, T, DV>;
    using KeyChunks = ViewChunks<T, Keys, Along::rows, kThreads, KView>;
    using ValueChunks = ViewChunks<T, Values, Along::rows, kThreads, VView>;
    using Chunks = ChunkPair<KeyChunks, ValueChunks>;
    // The left operand, if it is there, lies before the slots.
    constexpr u32 kSlots = footprint::left_bytes(C::fragment, BM, D, (int)sizeof(T),
                                                 C::left_operand == LeftOperand::scratchpad);

    const Chunks chunks{KeyChunks(k, k.rows, 0, D), ValueChunks(v, v.rows, 0, DV)};
    auto use = [&](i64 n0, u32 at) {
      Accum<BM, BN> s;
      Row<BM> alpha = row<BM>(1.f);
      score(s, StagedRef<T, Keys>{at});
      if constexpr (kGroups) {
        A::template wait<0>(t_);
        A::settle(t_, s.d);
      }
      soften(n0, s, alpha);
      auto&& p = turn(s, alpha);
      accumulate(p, StagedRef<T, Values>{at + Chunks::kSecond});
      if constexpr (kGroups) A::template wait<0>(t_);
    };
    pass_chunks<C::stages, kAsync, kGroups, C::staging>(t_, lo, hi, BN, chunks, use, kSlots);
    // There may have been no chunk to wait for the left operand with.
    if constexpr (kGroups) t_.template copy_wait<0>();
  }
}

template <class C>
template <int BM, int BN, class T, int D, int DV, class Score, class Soften, class Turn,
          class Accumulate>
TILE_FN void TilesBlock<C>::consume(i64 lo, i64 hi, bool boxes, Score score, Soften soften,
                                    Turn turn, Accumulate accumulate) const {
  using Ring = KeyRing<BM, BN, T, D, DV>;
  using Keys = StagedRef<T, typename Ring::Keys>;
  using Values = StagedRef<T, typename Ring::Values>;
  constexpr int kMultiplying = 1;  // barrier of those that own tiles

  Ring::begin(t_, C::warps, boxes);
  // The left operand is there.
  t_.template copy_wait<0>();
  t_.proxy_fence();
  t_.warps_barrier(kMultiplying, kOwnThreads);
  if (lo >= hi) return;

  ChunkConsumer<Ring> chunks(t_, boxes);
  const Turns<kRoles == Roles::ping_pong> turns(t_);
  Accum<BM, BN> s;
  Row<BM> alpha = row<BM>(1.f);
  const Keys first{chunks.wait_keys()};
  turns.take();
  score(s, first);
  turns.pass(lo + BN >= hi);
  A::template wait<0>(t_);
  A::settle(t_, s.d);
  chunks.free_keys();
  soften(lo, s, alpha);
  auto p = turn(s, alpha);
  TILE_ROLL
  for (i64 n0 = lo + BN; n0 < hi; n0 += BN) {
    const Keys keys{chunks.wait_keys()};
    const Values values{chunks.wait_values()};
    turns.take();
    score(s, keys);
    accumulate(p, values);
    turns.pass(n0 + BN >= hi);
    A::template wait<1>(t_);
    A::settle(t_, s.d);
    chunks.free_keys();
    soften(n0, s, alpha);
    A::template wait<0>(t_);
    chunks.free_values();
    p = turn(s, alpha);
  }
  accumulate(p, Values{chunks.wait_values()});
  A::template wait<0>(t_);
  chunks.free_values();
}

}  // namespace tile
