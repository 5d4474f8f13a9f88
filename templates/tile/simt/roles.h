// Passes chunks of both right operands from a warpgroup that copies them to those that multiply.
//
// A slot has a place for keys and one for values, each with two barriers in phases: `filled`, at
// which every copying thread arrives when its copies have landed, and `free`, at which every
// multiplying warp arrives when its products have read them. Both sides walk the slots in order;
// the parity of the phase to wait for changes with every round.
//
// Copies of threads are written by the generic proxy and read by products through the asynchronous
// one: who waits for `filled` makes visible what it then knows to be there. Boxes come through the
// asynchronous proxy, too; one thread asks for them and is the only one to arrive, and the phase is
// over when their bytes are there.

#pragma once

#include "tile/simt/footprint.h"
#include "tile/simt/target.h"

namespace tile {

// Slots from `Base` on in scratchpad, and their barriers behind.
template <class KeyTile, class ValueTile, int Stages, u32 Base>
struct RoleRing {
  using Keys = KeyTile;
  using Values = ValueTile;
  static constexpr u32 kSlot = Keys::kBytes + Values::kBytes;
  static constexpr u32 kBarriers = Base + Stages * kSlot;
  static_assert(Keys::kPanel == Values::kPanel, "swizzles begin where tiles do");

  enum class Barrier { keys_filled, keys_free, values_filled, values_free };

  static TILE_FN constexpr u32 keys(u32 slot) { return Base + slot * kSlot; }
  static TILE_FN constexpr u32 values(u32 slot) { return keys(slot) + Keys::kBytes; }
  static TILE_FN constexpr u32 barrier(u32 slot, Barrier which) {
    return kBarriers + slot * footprint::kSlotBarriers + (u32)which * 8;
  }

  // A place on the way through the slots.
  struct Place {
    u32 slot, parity;
    TILE_FN void advance() {
      if (++slot == Stages) {
        slot = 0;
        parity ^= 1;
      }
    }
  };

  // By all threads of the block, before anything else of this. `boxes`: chunks come as boxes.
  static TILE_FN void begin(const Target& t, int multiplying_warps, bool boxes) {
    if (t.thread() == 0) {
      const u32 copying = boxes ? 1 : footprint::kProducerThreads;
      TILE_UNROLL
      for (u32 slot = 0; slot < Stages; ++slot) {
        t.phase_init(barrier(slot, Barrier::keys_filled), copying);
        t.phase_init(barrier(slot, Barrier::keys_free), (u32)multiplying_warps);
        t.phase_init(barrier(slot, Barrier::values_filled), copying);
        t.phase_init(barrier(slot, Barrier::values_free), (u32)multiplying_warps);
      }
      // Bulk copies see them, too.
      if (boxes) t.proxy_fence();
    }
    t.block_barrier();
  }
};

// Ways of filling a place with the chunk from row `first` on, of which `filled` then tells.

// All threads of the warpgroup copy.
template <class Chunks>
struct CopiedChunks {
  Chunks chunks;

  TILE_FN void fill(const Target& t, u32 at, i64 first, u32 filled) const {
    chunks.copy(t, at, first);
    if (chunks.aligned) {
      t.phase_arrive_copies(filled);
    } else {
      t.phase_arrive(filled);
    }
  }
};

// One thread asks for boxes, one a panel.
template <class Layout, class View>
struct BoxedChunks {
  View view;

  TILE_FN void fill(const Target& t, u32 at, i64 first, u32 filled) const {
    constexpr int kPanel = Layout::kPanel / (int)sizeof(typename View::Element);
    t.phase_expect(filled, Layout::kBytes);
    TILE_UNROLL
    for (int column = 0; column < Layout::kColumns; column += kPanel)
      t.copy_box(at + Layout::offset(0, column), *view.map, view.box(first, column), filled);
  }
};

// Chunks lo, lo + step, .. below hi into the slots. Called by the threads that copy.
template <class Ring, class KeyChunks, class ValueChunks>
TILE_FN void produce_chunks(const Target& t, i64 lo, i64 hi, i64 step, const KeyChunks& keys,
                            const ValueChunks& values) {
  using Barrier = typename Ring::Barrier;
  auto fill = [&](const auto& chunks, u32 at, i64 first, u32 free, u32 parity, u32 filled) {
    t.phase_wait(free, parity);
    chunks.fill(t, at, first, filled);
  };
  // What no one has used yet is free: as if a phase were over.
  typename Ring::Place p = {0, 1};
  TILE_ROLL
  for (i64 first = lo; first < hi; first += step) {
    fill(keys, Ring::keys(p.slot), first, Ring::barrier(p.slot, Barrier::keys_free), p.parity,
         Ring::barrier(p.slot, Barrier::keys_filled));
    fill(values, Ring::values(p.slot), first, Ring::barrier(p.slot, Barrier::values_free), p.parity,
         Ring::barrier(p.slot, Barrier::values_filled));
    p.advance();
  }
}

// A multiplying warp's view of the slots.
template <class Ring>
class ChunkConsumer {
 public:
  TILE_FN ChunkConsumer(const Target& t, bool boxes) : t_(t), boxes_(boxes) {}

  // Where the next chunk's keys lie, once they do.
  TILE_FN u32 wait_keys() const {
    return wait(keys_, Barrier::keys_filled, Ring::keys(keys_.slot));
  }
  TILE_FN u32 wait_values() const {
    return wait(values_, Barrier::values_filled, Ring::values(values_.slot));
  }
  // After the products that read them.
  TILE_FN void free_keys() {
    free(keys_, Barrier::keys_free, Ring::keys(keys_.slot), Ring::Keys::kBytes);
  }
  TILE_FN void free_values() {
    free(values_, Barrier::values_free, Ring::values(values_.slot), Ring::Values::kBytes);
  }

 private:
  using Barrier = typename Ring::Barrier;
  using Place = typename Ring::Place;

  TILE_FN u32 wait(const Place& place, Barrier filled, u32 at) const {
    t_.phase_wait(Ring::barrier(place.slot, filled), place.parity);
    if (!boxes_) t_.proxy_fence();
    return at;
  }
  TILE_FN void free(Place& place, Barrier barrier, u32 at, u32 bytes) {
    if (t_.lane() == 0) t_.phase_arrive(Ring::barrier(place.slot, barrier), at, bytes);
    place.advance();
  }

  const Target& t_;
  bool boxes_;
  Place keys_ = {0, 0}, values_ = {0, 0};
};

}  // namespace tile
