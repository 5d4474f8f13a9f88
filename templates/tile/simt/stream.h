// The key loop: chunks of both right operands pass through scratchpad.

#pragma once

#include "tile/simt/chunks.h"
#include "tile/simt/ring.h"
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
  static_assert(footprint::stages_possible(C::stages, kAsync));
  using Keys = typename A::template RightRows<T, BN, footprint::up_to(D, 16), C::swizzle>;
  using Values = typename A::template RightColumns<T, BN, footprint::up_to(DV, 16), C::swizzle>;
  using KeyChunks = ViewChunks<T, Keys, Along::rows, kThreads, KView>;
  using ValueChunks = ViewChunks<T, Values, Along::rows, kThreads, VView>;
  using Chunks = ChunkPair<KeyChunks, ValueChunks>;

  // The left operand, if it is there, lies before the slots.
  constexpr u32 kSlots = footprint::left_bytes(C::fragment, BM, D, (int)sizeof(T));

  const WhereScope scope(t_, where);
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
  pass_chunks<C::stages, kAsync, kGroups>(t_, lo, hi, BN, chunks, use, kSlots);
  // There may have been no chunk to wait for the left operand with.
  if constexpr (kGroups) t_.template copy_wait<0>();
}

}  // namespace tile
