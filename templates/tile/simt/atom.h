// Atoms: products of 16 rows, 16 columns and a depth of 16, made of one or two matrix instructions,
// or of plain multiply-adds.
//
// An atom says which lane holds which element of the left operand and of the sums, how right
// fragments are read from scratchpad, and how sums become a left operand. It owns the order along
// k, so that one product's sums feed the next without exchange where the hardware allows it.
//
//     kFragment
//     kLanes                     of a warp
//     kGroupWarps                warps that make products together (more than 1: asynchronous, of
//                                whole tiles; tile/simt/wgmma_atom.h)
//     kSums                      elements of the sums a lane holds
//     kRowSlots                  rows that they lie in
//     slot(e), row(lane, slot)   which of these rows element e lies in, and where it is
//     column(lane, e)
//     kNeighbours                elements e, e + 1, .. that lie in neighbouring columns of one row
//     kLeft                      32-bit registers of a left fragment
//     kPerRegister               elements in each
//     kLeftRun                   neighbouring registers whose elements lie side by side: 1, 2 or 4
//     left_row(lane, r), left_depth(lane, r)   of the first element of register r; further ones
//                                follow along k
//     kExchangeFrom, kExchangeTo lanes that differ in these bits share rows
//     writes_row(lane)           whether this lane stores what belongs to a row
//     RightRows<T, R, C, S>      layout of a staged right operand whose k runs along a row
//     RightColumns<T, R, C, S>   whose k runs down the rows
//
// and, with t the target, one step of a product into sums[m][n / 16] of MT row tiles:
//
//     expand(t, left)                            a left fragment, ready for use
//     step_rows<T, Shared>(t, sums, left, at, n, k)      right operand [n.., k..] of RightRows
//     step_columns<T, Shared>(t, sums, left, at, k, n)   [k.., n..] of RightColumns
//     to_left<T>(t, left, sums)                  sums of columns k.. become a left fragment
//
// Contractions, both of whose operands are staged, take pieces of `kPieceDepth` of k: fragments of
// 16 rows or columns from `first` on,
//
//     left_rows<T, Shared>(t, at, first, k), left_columns<T, Shared>(t, at, k, first)
//     right_rows<T, Shared>(t, at, first, k), right_columns<T, Shared>(t, at, k, first)
//     multiply<T>(t, sums, n, left, right)       sums[m][n] += left[m] right
//
// AMD's instructions run transposed (hardware left is the right operand): a row then lies in one
// lane of every 16, and its maximum needs only exchanges between groups of 16 lanes.

#pragma once

#include "tile/simt/fragment.h"
#include "tile/simt/shared.h"
#include "tile/simt/target.h"

namespace tile {

template <Fragment F, int WarpLanes>
struct Atom;

// Steps of atoms whose piece of k is a whole atom deep: a right fragment and one product.
template <class A>
struct WholeSteps {
  template <class T, class Shared, int MT, int NT, int Sums, class Left, class Tgt>
  static TILE_FN void step_rows(const Tgt& t, float (&sums)[MT][NT][Sums], const Left (&left)[MT],
                                u32 at, int n, int k) {
    A::template multiply<T>(t, sums, n / 16, left, A::template right_rows<T, Shared>(t, at, n, k));
  }
  template <class T, class Shared, int MT, int NT, int Sums, class Left, class Tgt>
  static TILE_FN void step_columns(const Tgt& t, float (&sums)[MT][NT][Sums],
                                   const Left (&left)[MT], u32 at, int k, int n) {
    A::template multiply<T>(t, sums, n / 16, left,
                            A::template right_columns<T, Shared>(t, at, k, n));
  }
};

// ---- mma.m16n8k16, twice

template <>
struct Atom<Fragment::mma_m16n8k16, 32> : WholeSteps<Atom<Fragment::mma_m16n8k16, 32>> {
  using Instruction = MmaM16N8K16;
  static constexpr int kGroupWarps = 1;
  static constexpr int kLanes = 32, kSums = 8, kRowSlots = 2, kLeft = 4, kPerRegister = 2,
                       kLeftRun = 1;
  static constexpr Fragment kFragment = Fragment::mma_m16n8k16;
  static constexpr int kPieceDepth = 16, kNeighbours = 2;
  static constexpr int kExchangeFrom = 1, kExchangeTo = 2;
  template <class T, int R, int C, Swizzle S>
  using RightRows = SharedTile<T, R, C, S>;
  template <class T, int R, int C, Swizzle S>
  using RightColumns = SharedTile<T, R, C, S>;

  static TILE_FN constexpr int slot(int e) { return e / 2 % 2; }
  static TILE_FN constexpr int row(int lane, int s) { return Instruction::sum(lane, 2 * s).row; }
  static TILE_FN constexpr int column(int lane, int e) {
    return e / 4 * 8 + Instruction::sum(lane, e % 4).column;
  }
  static TILE_FN constexpr int left_row(int lane, int r) {
    return Instruction::left(lane, 2 * r).row;
  }
  static TILE_FN constexpr int left_depth(int lane, int r) {
    return Instruction::left(lane, 2 * r).column;
  }
  static TILE_FN constexpr bool writes_row(int lane) { return lane % 4 == 0; }

  struct Left {
    u32 r[4];
  };
  template <class Tgt>
  static TILE_FN Left expand(const Tgt&, const u32 (&left)[4]) {
    return {{left[0], left[1], left[2], left[3]}};
  }

  struct Right {
    u32 r[4];
  };
  // Matrix i of load_matrices: rows first + i % 2 * 8, depth k + i / 2 * 8.
  template <class T, class Shared, class Tgt>
  static TILE_FN Left left_rows(const Tgt& t, u32 at, int first, int k) {
    const int matrix = t.lane() / 8, i = t.lane() % 8;
    Left a;
    t.load_matrices(a.r, at + Shared::offset(first + matrix % 2 * 8 + i, k + matrix / 2 * 8));
    return a;
  }
  template <class T, class Shared, class Tgt>
  static TILE_FN Left left_columns(const Tgt& t, u32 at, int k, int first) {
    const int matrix = t.lane() / 8, i = t.lane() % 8;
    Left a;
    t.load_matrices_transposed(a.r,
                               at + Shared::offset(k + matrix / 2 * 8 + i, first + matrix % 2 * 8));
    return a;
  }
  // Columns first + i / 2 * 8, depth k + i % 2 * 8.
  template <class T, class Shared, class Tgt>
  static TILE_FN Right right_rows(const Tgt& t, u32 at, int first, int k) {
    const int matrix = t.lane() / 8, j = t.lane() % 8;
    Right b;
    t.load_matrices(b.r, at + Shared::offset(first + matrix / 2 * 8 + j, k + matrix % 2 * 8));
    return b;
  }
  template <class T, class Shared, class Tgt>
  static TILE_FN Right right_columns(const Tgt& t, u32 at, int k, int first) {
    const int matrix = t.lane() / 8, j = t.lane() % 8;
    Right b;
    t.load_matrices_transposed(b.r,
                               at + Shared::offset(k + matrix % 2 * 8 + j, first + matrix / 2 * 8));
    return b;
  }
  template <class T, int MT, int NT, class Tgt>
  static TILE_FN void multiply(const Tgt& t, float (&sums)[MT][NT][kSums], int n,
                               const Left (&left)[MT], const Right& b) {
    TILE_UNROLL
    for (int m = 0; m < MT; ++m) {
      t.template mma_m16n8k16<T>(sums[m][n], left[m].r, b.r);
      t.template mma_m16n8k16<T>(sums[m][n] + 4, left[m].r, b.r + 2);
    }
  }

  template <class T, class Tgt>
  static TILE_FN void to_left(const Tgt& t, u32 (&left)[4], const float (&sums)[8]) {
    TILE_UNROLL
    for (int r = 0; r < 4; ++r)
      left[r] = t.template pack<T>(sums[2 * r], sums[2 * r + 1]);
  }
};

// ---- AMD: one instruction, transposed

template <class I>
struct TransposedAtom : WholeSteps<TransposedAtom<I>> {
  using Instruction = I;
  static constexpr int kGroupWarps = 1;
  static constexpr int kLanes = I::kLanes, kSums = I::kSums, kRowSlots = 1;
  static constexpr int kLeft = I::kRight / 2, kPerRegister = 2, kPieceDepth = 16;
  static constexpr int kLeftRun = imin(kLeft, 4);
  static constexpr int kExchangeFrom = 16, kExchangeTo = I::kLanes / 2;
  static constexpr int kNeighbours = I::sum(0, 1).row == I::sum(0, 0).row + 1 ? kSums : 1;
  // Pairs of k between the groups of 16 lanes; 0 where all groups hold the same.
  static constexpr int kPairsApart = (I::right(16, 0).row - I::right(0, 0).row) / 2;
  template <class T, int R, int C, Swizzle S>
  using RightRows = SharedTile<T, R, C, S>;
  template <class T, int R, int C, Swizzle S>
  using RightColumns = SharedPairs<T, R, C, kPairsApart, S>;

  static TILE_FN constexpr int slot(int) { return 0; }
  static TILE_FN constexpr int row(int lane, int) { return I::sum(lane, 0).column; }
  static TILE_FN constexpr int column(int lane, int e) { return I::sum(lane, e).row; }
  static TILE_FN constexpr int left_row(int lane, int r) { return I::right(lane, 2 * r).column; }
  static TILE_FN constexpr int left_depth(int lane, int r) { return I::right(lane, 2 * r).row; }
  static TILE_FN constexpr bool writes_row(int lane) { return lane < 16; }

  struct Left {
    u32 r[kLeft];
  };
  template <class Tgt>
  static TILE_FN Left expand(const Tgt&, const u32 (&left)[kLeft]) {
    Left l;
    TILE_UNROLL
    for (int r = 0; r < kLeft; ++r)
      l.r[r] = left[r];
    return l;
  }

  // Both hardware operands lie alike, one's rows as the other's columns.
  template <class T, class Shared, class Tgt>
  static TILE_FN Left left_rows(const Tgt& t, u32 at, int first, int k) {
    constexpr int kWords = kLeft < 4 ? kLeft : 4;  // of one access
    const int row = I::left(t.lane(), 0).row;
    Left a;
    TILE_UNROLL
    for (int r = 0; r < kLeft; r += kWords) {
      const int depth = k + I::left(t.lane(), 2 * r).column;
      const u32 near = t.opaque(at + Shared::near(row, first, depth));
      const auto words = t.template lds<Words<kWords>>(near + Shared::far(first, k));
      TILE_UNROLL
      for (int i = 0; i < kWords; ++i)
        a.r[r + i] = words.x[i];
    }
    return a;
  }
  template <class T, class Shared, class Tgt>
  static TILE_FN Left left_columns(const Tgt& t, u32 at, int k, int first) {
    Left a;
    TILE_UNROLL
    for (int r = 0; r < kLeft; ++r) {
      const Position p = I::left(t.lane(), 2 * r);
      a.r[r] = t.template lds<u32>(at + Shared::offset((k + p.column) / 2, first + p.row));
    }
    return a;
  }
  template <class T, class Shared, class Tgt>
  static TILE_FN Left right_rows(const Tgt& t, u32 at, int first, int k) {
    return left_rows<T, Shared>(t, at, first, k);
  }
  template <class T, class Shared, class Tgt>
  static TILE_FN Left right_columns(const Tgt& t, u32 at, int k, int first) {
    return left_columns<T, Shared>(t, at, k, first);
  }
  template <class T, int MT, int NT, class Tgt>
  static TILE_FN void multiply(const Tgt& t, float (&sums)[MT][NT][kSums], int n,
                               const Left (&left)[MT], const Left& b) {
    TILE_UNROLL
    for (int m = 0; m < MT; ++m) {
      if constexpr (kSame<I, Mfma16x16x16>) {
        t.template mfma_16x16x16<T>(sums[m][n], b.r, left[m].r);
      } else if constexpr (kSame<I, WmmaGfx11>) {
        t.template wmma_gfx11<T>(sums[m][n], b.r, left[m].r);
      } else {
        t.template wmma_gfx12<T>(sums[m][n], b.r, left[m].r);
      }
    }
  }
};

// Sums already lie as a left operand does.
template <class I>
struct PackedAtom : TransposedAtom<I> {
  template <class T, class Tgt>
  static TILE_FN void to_left(const Tgt& t, u32 (&left)[I::kSums / 2],
                              const float (&sums)[I::kSums]) {
    TILE_UNROLL
    for (int r = 0; r < I::kSums / 2; ++r)
      left[r] = t.template pack<T>(sums[2 * r], sums[2 * r + 1]);
  }
};
template <>
struct Atom<Fragment::mfma_16x16x16, 64> : PackedAtom<Mfma16x16x16> {
  static constexpr Fragment kFragment = Fragment::mfma_16x16x16;
};
template <>
struct Atom<Fragment::wmma_gfx12, 32> : PackedAtom<WmmaGfx12> {
  static constexpr Fragment kFragment = Fragment::wmma_gfx12;
};

// Even columns lie in lanes 0 to 15, odd ones in the others; a left operand holds all in each.
template <>
struct Atom<Fragment::wmma_gfx11, 32> : TransposedAtom<WmmaGfx11> {
  static constexpr Fragment kFragment = Fragment::wmma_gfx11;
  template <class T, class Tgt>
  static TILE_FN void to_left(const Tgt& t, u32 (&left)[8], const float (&sums)[8]) {
    TILE_UNROLL
    for (int e = 0; e < 8; ++e) {
      const float other = t.shuffle_xor(sums[e], 16);
      left[e] =
          t.lane() < 16 ? t.template pack<T>(sums[e], other) : t.template pack<T>(other, sums[e]);
    }
  }
};

}  // namespace tile

#include "tile/simt/fma_atom.h"
#include "tile/simt/wgmma_atom.h"
