// How a tile lies in scratchpad: types with constexpr offsets in bytes.
//
// Rows are cut into panels of 128 bytes (64 columns of 16 bits, 32 of 32 bits), panel after panel;
// a panel's row holds eight chunks of 16 bytes, whose order a swizzle changes. With
// Swizzle::exclusive this is the layout of wgmma's 128-byte swizzle and of tensor-map boxes, as are
// panels of 64 and 32 bytes of the 64-byte and 32-byte swizzles: bits 4 and up of an address xor
// bits 7 and up.
// tile/simt/banks.h computes the bank conflicts of an access.

#pragma once

#include "tile/core.h"
#include "tile/schedule.h"
#include "tile/simt/footprint.h"

namespace tile {

inline constexpr int kChunkBytes = 16;

template <class T, int RowCount, int ColumnCount, Swizzle S, int Panel = footprint::kPanelBytes>
struct SharedTile {
  static_assert(Panel == footprint::kPanelBytes || S == Swizzle::exclusive);
  static constexpr int kRows = RowCount, kColumns = ColumnCount;
  static constexpr int kChunk = kChunkBytes / (int)sizeof(T);  // elements
  static constexpr int kPanel = Panel;                         // bytes
  static constexpr u32 kBytes = footprint::tile_bytes(kRows, kColumns, (int)sizeof(T), Panel);

  // Of an element; elements of a chunk lie side by side.
  static TILE_FN constexpr u32 offset(int row, int column) {
    return near(row, 0, column) + far(0, column);
  }

  // offset(row + far_row, column) = near + far, where row and far_row have no bit in common: `far`
  // is a constant where far_row and column's panel are, and `near` takes few values for all
  // far_row.
  static TILE_FN constexpr u32 near(int row, int far_row, int column) {
    const u32 byte = (u32)column * (u32)sizeof(T), chunk = byte / kChunkBytes % kChunks;
    return (u32)row * Panel + (chunk ^ key(row) ^ key(far_row)) * kChunkBytes + byte % kChunkBytes;
  }
  static TILE_FN constexpr u32 far(int far_row, int column) {
    const u32 panel = (u32)column * (u32)sizeof(T) / Panel;
    return (panel * (u32)kRows + (u32)far_row) * Panel;
  }

  struct Element {
    int row, column;
  };
  // Of which `at` is the offset: at(element(at)) is what lies there. Panels may end in columns
  // that the tile does not have.
  static TILE_FN constexpr Element element(u32 at) {
    const u32 panel = at / ((u32)kRows * Panel), row = at / Panel % (u32)kRows;
    const u32 chunk = at / kChunkBytes % kChunks ^ key((int)row);
    const u32 byte = panel * Panel + chunk * kChunkBytes + at % kChunkBytes;
    return {(int)row, (int)(byte / (u32)sizeof(T))};
  }

 private:
  static constexpr u32 kChunks = Panel / kChunkBytes;  // of a panel's row

  // By which a row's chunks are moved.
  static TILE_FN constexpr u32 key(int row) {
    if constexpr (S == Swizzle::exclusive) return (u32)row * Panel / 128 & (kChunks - 1);
    if constexpr (S == Swizzle::folded) return ((u32)row ^ (u32)row / 8) & 7;
    return 0;
  }
};

// Rows 2 p and 2 p + 1 interleaved: one 32-bit word holds both elements of a column, as products
// take pairs along k. Groups of 16 lanes read the same columns of pairs that lie `PairsApart` pairs
// apart (0: of the same pairs); with a swizzle every other group is moved by half the banks.
template <class T, int RowCount, int ColumnCount, int PairsApart, Swizzle S>
struct SharedPairs {
  static_assert(sizeof(T) == 2 && RowCount % 2 == 0, "pairs are of 16-bit elements");
  static constexpr int kRows = RowCount, kColumns = ColumnCount;
  static constexpr int kPitch = footprint::pair_pitch(kColumns);  // words
  static constexpr u32 kBytes = footprint::pairs_bytes(kRows, kColumns);

  // Of a word; words of four columns from a multiple of four lie side by side.
  static TILE_FN constexpr u32 offset(int pair, int column) {
    u32 c = (u32)column;
    if constexpr (S != Swizzle::none && PairsApart != 0) c ^= (u32)pair / PairsApart % 2 * 16;
    return ((u32)pair * (u32)kPitch + c) * 4;
  }
};

}  // namespace tile
