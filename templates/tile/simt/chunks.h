// A view cut into chunks of one layout, which pass through scratchpad one after the other
// (tile/simt/ring.h).

#pragma once

#include "tile/simt/stage.h"

namespace tile {

// Which way the view is cut.
enum class Along { rows, columns };

// Copied by the block's threads from `FirstThread` on.
template <class T, class LayoutType, Along kAlong, int Threads, class View, int FirstThread = 0>
struct ViewChunks {
  using Layout = LayoutType;
  View view;
  i64 length;  // of the view along the cut
  i64 across;  // where chunks begin along the other axis
  int extent;  // how far the view goes there, at most as far as a chunk
  bool aligned;
  Stage<T, Layout, Threads, FirstThread> stage;

  TILE_FN ViewChunks(const View& v, i64 length_along, i64 from, i64 length_across)
      : view(v), length(length_along), across(from), aligned(rows_aligned(v, kChunkBytes)) {
    extent =
        (int)lmin(kAlong == Along::rows ? Layout::kColumns : Layout::kRows, length_across - from);
  }

  TILE_FN Window window(i64 first) const {
    if constexpr (kAlong == Along::rows) {
      return {first, across, (int)lmin(Layout::kRows, length - first), extent};
    } else {
      return {across, first, extent, (int)lmin(Layout::kColumns, length - first)};
    }
  }
  TILE_FN void copy(const Target& t, u32 at, i64 first) const {
    stage.copy(t, at, view, window(first), aligned);
  }
  TILE_FN void move(const Target& t, u32 at, i64 first) const {
    stage.move(t, at, view, window(first), aligned);
  }
  TILE_FN void fetch(const Target& t, i64 first) { stage.fetch(t, view, window(first), aligned); }
  TILE_FN void put(const Target& t, u32 at) const { stage.put(t, at); }

  using StageType = Stage<T, Layout, Threads, FirstThread>;
  TILE_FN void move_direct(const Target& t, u32 at, i64 first) const {
    if constexpr (StageType::kDirect) {
      stage.direct(t, at, view, window(first), aligned);
    } else {
      move(t, at, first);
    }
  }
  TILE_FN void fetch_direct(const Target& t, u32 at, i64 first) {
    if constexpr (StageType::kDirect) {
      stage.direct(t, at, view, window(first), aligned);
    } else {
      fetch(t, first);
    }
  }
  TILE_FN void put_rest(const Target& t, u32 at) const {
    if constexpr (!StageType::kDirect) put(t, at);
  }
};

// Chunks of two operands, one behind the other in a slot.
template <class First, class Second>
struct ChunkPair {
  static constexpr u32 kSecond = First::Layout::kBytes;
  static constexpr u32 kBytes = kSecond + Second::Layout::kBytes;
  First first;
  Second second;

  TILE_FN void copy(const Target& t, u32 at, i64 from) const {
    first.copy(t, at, from);
    second.copy(t, at + kSecond, from);
  }
  TILE_FN void move(const Target& t, u32 at, i64 from) const {
    first.move(t, at, from);
    second.move(t, at + kSecond, from);
  }
  TILE_FN void fetch(const Target& t, i64 from) {
    first.fetch(t, from);
    second.fetch(t, from);
  }
  TILE_FN void put(const Target& t, u32 at) const {
    first.put(t, at);
    second.put(t, at + kSecond);
  }
  TILE_FN void move_direct(const Target& t, u32 at, i64 from) const {
    first.move_direct(t, at, from);
    second.move_direct(t, at + kSecond, from);
  }
  TILE_FN void fetch_direct(const Target& t, u32 at, i64 from) {
    first.fetch_direct(t, at, from);
    second.fetch_direct(t, at + kSecond, from);
  }
  TILE_FN void put_rest(const Target& t, u32 at) const {
    first.put_rest(t, at);
    second.put_rest(t, at + kSecond);
  }
};

}  // namespace tile
