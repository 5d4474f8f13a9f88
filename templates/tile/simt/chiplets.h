// The order in which blocks of a grid go to the chiplets of a GPU.
//
// Hardware deals blocks to chiplets in turn, in the order of their numbers (x fastest), and every
// chiplet has a cache of its own: neighbours, which share operands, would share no cache. Numbered
// anew, each chiplet's blocks are a run of neighbours:
//
//     of 8 chiplets, chiplet 0 gets blocks 0, 8, 16, .. and works at the grid's first eighth
//
// Source: AMD, CDNA 3 instruction set and white paper ("workgroups are dispatched to the XCDs
// round-robin").

#pragma once

#include "tile/core.h"

namespace tile {

// What the block of that number, of `count`, works at. Every number has one place.
TILE_FN constexpr u32 place_in_runs(u32 number, u32 count, u32 chiplets) {
  const u32 chiplet = number % chiplets, turn = number / chiplets;
  const u32 each = count / chiplets, more = count % chiplets;  // the first `more` have one more
  return chiplet * each + (chiplet < more ? chiplet : more) + turn;
}

// Of a config; without the member, blocks stay as they are dealt.
template <class Config>
constexpr int chiplets_of() {
  if constexpr (requires { Config::chiplets; }) {
    return Config::chiplets;
  } else {
    return 1;
  }
}

}  // namespace tile
