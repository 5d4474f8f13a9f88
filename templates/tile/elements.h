// How lane items name elements of tensor arguments, in every lowering. Offsets are in elements and
// 64-bit.

#pragma once

#include "tile/core.h"

namespace tile {

template <class T>
struct Elements {
  T* first;
  TILE_FN Elements operator+(i64 offset) const { return {first + offset}; }
};

// One offset a lane, made once a block.
template <int W>
struct LaneOffsets {
  i64 of[W];
};

}  // namespace tile
