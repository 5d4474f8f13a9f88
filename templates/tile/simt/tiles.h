// Tiles spread over the warps of a block: each warp owns neighbouring rows, MT atoms of them, and
// within it the atom says which lane holds what. Where warps make products in groups, each group
// owns neighbouring rows, and its warps 16 of the rows of each product.

#pragma once

#include "tile/simt/atom.h"

namespace tile {

// How tiles of the block lie: its atom and how many warps share the rows.
template <class AtomType, int WarpCount>
struct Spread {
  using Atom = AtomType;
  static constexpr int kWarps = WarpCount;

  // Atoms along the rows that a warp owns.
  template <int BM>
  static constexpr int kAtoms = BM / footprint::kAtom / kWarps;
  static constexpr int kGroupRows = AtomType::kGroupWarps * footprint::kAtom;

  template <int BM>
  static TILE_FN int first_row(const Target& t, int m) {
    static_assert(footprint::rows_fit_warps(BM, kWarps),
                  "a tile's rows must be a multiple of 16 times the warps");
    if constexpr (AtomType::kGroupWarps == 1) return (t.warp() * kAtoms<BM> + m) * footprint::kAtom;
    return group_row<BM>(t, m) + t.warp() % AtomType::kGroupWarps * footprint::kAtom;
  }
  // Of the rows that the warp's group makes product m of.
  template <int BM>
  static TILE_FN int group_row(const Target& t, int m) {
    static_assert(kWarps % AtomType::kGroupWarps == 0, "warps must be a multiple of a group's");
    return (t.warp() / AtomType::kGroupWarps * kAtoms<BM> + m) * kGroupRows;
  }
};

// One value for each of the BM rows; lanes that share a row hold the same value, or a part of a sum
// until row_reduce().
template <class S, int BM, class V>
struct SimtRow {
  V v[S::template kAtoms<BM>][S::Atom::kRowSlots];
};

// f32 sums of BM rows and N columns; columns from N up to a multiple of 16 are 0.
template <class S, int BM, int N>
struct SimtAccum {
  static constexpr int kTiles = footprint::up_to(N, footprint::kAtom) / footprint::kAtom;
  float d[S::template kAtoms<BM>][kTiles][S::Atom::kSums];
};

// Left operand of BM rows and depth K, as the atom's left fragments.
template <class S, class T, int BM, int K>
struct SimtOperand {
  static constexpr int kTiles = footprint::up_to(K, footprint::kAtom) / footprint::kAtom;
  u32 d[S::template kAtoms<BM>][kTiles][S::Atom::kLeft];
};

// The same in scratchpad, from its first byte on, where products of warpgroups read it.
template <class S, class T, int BM, int K>
struct SharedOperand {
  static constexpr int kTiles = footprint::up_to(K, footprint::kAtom) / footprint::kAtom;
  using Layout = typename S::Atom::template LeftRows<T, BM, kTiles * footprint::kAtom>;
};

// Right operands, staged at `at` in scratchpad.
template <class T, class Layout>
struct StagedRef {
  u32 at;
};

}  // namespace tile
