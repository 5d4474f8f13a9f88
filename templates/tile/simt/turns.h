// Two warpgroups that multiply take turns at beginning products: while those of one run, the other
// softens the scores of its own.
//
// A group waits for its turn at a numbered barrier, which the other's passing completes. Both take
// the same number of turns, the first group the first one.

#pragma once

#include "tile/simt/target.h"

namespace tile {

// `Take` false: groups that do not wait for each other.
template <bool Take>
class Turns {
 public:
  TILE_FN explicit Turns(const Target& t) : t_(t), second_(Take && t.warp() >= kGroupWarps) {
    if constexpr (Take) {
      if (second_) t_.warps_arrive(kFirstBarrier, kThreads);
    }
  }

  TILE_FN void take() const {
    if constexpr (Take) t_.warps_barrier(kFirstBarrier + (int)second_, kThreads);
  }
  // `last`: this group takes no turn after it.
  TILE_FN void pass(bool last) const {
    if constexpr (Take) {
      if (!second_ || !last) t_.warps_arrive(kFirstBarrier + (int)!second_, kThreads);
    }
  }

 private:
  static constexpr int kGroupWarps = 4, kThreads = 2 * kGroupWarps * 32;
  static constexpr int kFirstBarrier = 2;  // and the next: the first group's and the second's

  const Target& t_;
  bool second_;
};

}  // namespace tile
