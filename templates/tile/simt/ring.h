// Passes chunks through slots of scratchpad, and does all waiting.
//
// With asynchronous copies `Stages` slots form a ring: while one is used, the copies of the next
// Stages - 1 chunks are in flight, a group a chunk. Otherwise a chunk passes through registers: it
// is fetched while the one before is used, or in turn, when its slot is free. Direct copies go into
// the free one of two slots at the time of such a fetch, or into the only one in turn. A slot is
// dead, and said to be, at the barrier after which it may be filled again.
//
// On return, scratchpad may still be read by slower warps: a barrier must come before it is
// written.

#pragma once

#include "tile/schedule.h"
#include "tile/simt/target.h"

namespace tile {

// use(first, at) for every chunk lo, lo + step, .. below hi, once it lies at `at`. Chunks offers
//
//     kBytes                        of a slot
//     copy(t, at, first)            begins to copy the chunk from `first` on to `at`, where kAsync
//     fetch(t, first), put(t, at)   where not: reads it into registers, writes what was read
//     move(t, at, first)            both, a few at a time
//     fetch_direct(t, at, first)    begins to copy to `at` what can be copied directly, fetches the
//                                   rest, which put_rest(t, at) writes
//     move_direct(t, at, first)     begins to copy what can be copied directly, moves the rest
//
// Slots begin at `base`. With kFenced what has been copied is made visible to products of
// warpgroups, too.
template <int Stages, bool kAsync, bool kFenced = false, Staging kStaging = Staging::ahead,
          class Chunks, class Use>
TILE_FN void pass_chunks(const Target& t, i64 lo, i64 hi, i64 step, Chunks chunks, Use use,
                         u32 base = 0) {
  constexpr u32 kSlot = Chunks::kBytes;
  static_assert(kAsync || !kFenced);
  constexpr bool kDirect = kStaging == Staging::direct;
  static_assert(kStaging != Staging::in_turn || (!kAsync && Stages == 1),
                "chunks pass through registers and one slot in turn");
  static_assert(!kDirect || (!kAsync && Target::kDirectCopy), "this target copies otherwise");
  if constexpr (Stages == 1 && (kAsync || kStaging != Staging::ahead)) {
    TILE_ROLL
    for (i64 first = lo; first < hi; first += step) {
      if constexpr (kAsync) {
        chunks.copy(t, base, first);
        t.copy_commit();
        t.template copy_wait<0>();
        if constexpr (kFenced) t.proxy_fence();
      } else if constexpr (kDirect) {
        chunks.move_direct(t, base, first);
        t.copy_commit();
        t.template copy_wait<0>();
      } else {
        chunks.move(t, base, first);
      }
      t.block_barrier();
      use(first, base);
      t.retire(base, kSlot);
      t.block_barrier();
    }
  } else if constexpr (kAsync) {
    constexpr u32 kAhead = Stages - 1;
    auto issue = [&](i64 first, u32 slot) {
      if (first < hi) chunks.copy(t, base + slot * kSlot, first);
      t.copy_commit();
    };
    TILE_UNROLL
    for (u32 s = 0; s < kAhead; ++s)
      issue(lo + s * step, s);
    u32 slot = 0;
    TILE_ROLL
    for (i64 first = lo; first < hi; first += step) {
      const u32 next = slot + kAhead < Stages ? slot + kAhead : slot + kAhead - Stages;
      t.template copy_wait<kAhead - 1>();
      if constexpr (kFenced) t.proxy_fence();
      t.retire(base + next * kSlot, kSlot);
      t.block_barrier();
      issue(first + kAhead * step, next);
      use(first, base + slot * kSlot);
      slot = slot + 1 == Stages ? 0 : slot + 1;
    }
    t.template copy_wait<0>();
  } else {
    auto fetch = [&](i64 first, u32 slot) {
      if constexpr (kDirect) {
        chunks.fetch_direct(t, base + slot * kSlot, first);
      } else {
        chunks.fetch(t, first);
      }
    };
    auto put = [&](u32 slot) {
      if constexpr (kDirect) {
        chunks.put_rest(t, base + slot * kSlot);
        t.copy_commit();
        t.template copy_wait<0>();
      } else {
        chunks.put(t, base + slot * kSlot);
      }
    };
    if (lo < hi) fetch(lo, 0);
    u32 slot = 0;
    TILE_ROLL
    for (i64 first = lo; first < hi; first += step) {
      put(slot);
      if constexpr (Stages == 2) t.retire(base + (slot ^ 1) * kSlot, kSlot);
      t.block_barrier();
      if (first + step < hi) fetch(first + step, slot ^ 1);
      use(first, base + slot * kSlot);
      if constexpr (Stages == 1) {
        t.retire(base, kSlot);
        t.block_barrier();
      } else {
        slot ^= 1;
      }
    }
  }
}

}  // namespace tile
