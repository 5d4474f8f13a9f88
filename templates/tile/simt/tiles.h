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

  // Of a warp's atom m of rows.
  template <int BM>
  static TILE_FN int first_row(int warp, int m) {
    static_assert(footprint::rows_fit_warps(BM, kWarps),
                  "a tile's rows must be a multiple of 16 times the warps");
    if constexpr (AtomType::kGroupWarps == 1) return (warp * kAtoms<BM> + m) * footprint::kAtom;
    return group_row<BM>(warp, m) + warp % AtomType::kGroupWarps * footprint::kAtom;
  }
  // Of the rows that the warp's group makes product m of.
  template <int BM>
  static TILE_FN int group_row(int warp, int m) {
    static_assert(kWarps % AtomType::kGroupWarps == 0, "warps must be a multiple of a group's");
    return (warp / AtomType::kGroupWarps * kAtoms<BM> + m) * kGroupRows;
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
  static constexpr bool kParked = false;
  static constexpr int kTiles = footprint::up_to(K, footprint::kAtom) / footprint::kAtom;
  u32 d[S::template kAtoms<BM>][kTiles][S::Atom::kLeft];
};

// The same in scratchpad, from its first byte on, where products of warpgroups read it.
template <class S, class T, int BM, int K>
struct SharedOperand {
  static constexpr int kTiles = footprint::up_to(K, footprint::kAtom) / footprint::kAtom;
  using Layout = typename S::Atom::template LeftRows<T, BM, kTiles * footprint::kAtom>;
};

// A left operand that waits in scratchpad, from its first byte on, as the fragments lie in lanes: a
// lane reads what it has put there itself, or the lane whose fragments it repeats.
template <class S, class T, int BM, int K>
struct ParkedOperand {
  static constexpr bool kParked = true;
  using A = typename S::Atom;
  static constexpr int kTiles = footprint::up_to(K, footprint::kAtom) / footprint::kAtom;
  static constexpr int kWords = imin(A::kLeft, 4), kParts = A::kLeft / kWords;  // of an access
  static constexpr int kLanes = footprint::left_lanes(A::kFragment, A::kLanes);

  static TILE_FN void put(const Target& t, int m, int k, const u32 (&fragment)[A::kLeft]) {
    if (t.lane() >= kLanes) return;
    TILE_UNROLL
    for (int part = 0; part < kParts; ++part) {
      Words<kWords> w;
      TILE_UNROLL
      for (int i = 0; i < kWords; ++i)
        w.x[i] = fragment[part * kWords + i];
      t.sts(offset(t, m, k, part), w);
    }
  }
  static TILE_FN void get(const Target& t, int m, int k, u32 (&fragment)[A::kLeft]) {
    TILE_UNROLL
    for (int part = 0; part < kParts; ++part) {
      const auto w = t.template lds<Words<kWords>>(offset(t, m, k, part));
      TILE_UNROLL
      for (int i = 0; i < kWords; ++i)
        fragment[part * kWords + i] = w.x[i];
    }
  }

 private:
  static TILE_FN u32 offset(const Target& t, int m, int k, int part) {
    const int lane = t.warp() * kLanes + t.lane() % kLanes;
    return (u32)((((m * kTiles + k) * kParts + part) * S::kWarps * kLanes + lane) * kWords * 4);
  }
};

// Right operands, staged at `at` in scratchpad.
template <class T, class Layout>
struct StagedRef {
  u32 at;
};

}  // namespace tile
