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

// One offset a lane, worked out once a block.
template <int W>
struct KeptOffsets {
  i64 of[W];
  TILE_FN i64 operator()(i64 lane) const { return of[lane]; }
};

}  // namespace tile
