// The atom of machines and types without a matrix instruction: f32 by multiply-adds.
//
// A lane holds one row (lane % 16) and 256 / lanes neighbouring columns of the sums; as a left
// operand the same elements. Before use, a left fragment is completed to all 16 elements of the
// row by exchanges with the other lanes that share it; right elements are read 16 bytes at a time
// and, lanes of a group reading the same address, broadcast.

#pragma once

#include "tile/simt/shared.h"
#include "tile/simt/target.h"

namespace tile {

template <int WarpLanes>
struct Atom<Fragment::fma_16x16x16, WarpLanes> {
  static constexpr Fragment kFragment = Fragment::fma_16x16x16;
  static constexpr int kLanes = WarpLanes, kGroups = kLanes / 16, kSums = 16 / kGroups;
  static constexpr int kRowSlots = 1, kLeft = kSums, kPerRegister = 1, kLeftRun = 4,
                       kGroupWarps = 1;
  static constexpr int kPieceDepth = 4, kNeighbours = kSums;
  static constexpr int kExchangeFrom = 16, kExchangeTo = kLanes / 2;
  template <class T, int R, int C, Swizzle S>
  using RightRows = SharedTile<T, R, C, S>;
  // Lanes read whole rows of a chunk, without conflicts: offsets stay sums of constants.
  template <class T, int R, int C, Swizzle>
  using RightColumns = SharedTile<T, R, C, Swizzle::none>;

  static TILE_FN constexpr int slot(int) { return 0; }
  static TILE_FN constexpr int row(int lane, int) { return lane % 16; }
  static TILE_FN constexpr int column(int lane, int e) { return lane / 16 * kSums + e; }
  static TILE_FN constexpr int left_row(int lane, int) { return lane % 16; }
  static TILE_FN constexpr int left_depth(int lane, int r) { return lane / 16 * kSums + r; }
  static TILE_FN constexpr bool writes_row(int lane) { return lane < 16; }

  struct Left {
    float x[16];
  };
  // Group g of lanes comes by exchange with the lane whose group number differs by d in the bits,
  // so its elements are those of group (own ^ d).
  template <class Tgt>
  static TILE_FN Left expand(const Tgt& t, const u32 (&left)[kLeft]) {
    Left l;
    const int own = t.lane() / 16;
    TILE_UNROLL
    for (int e = 0; e < kSums; ++e) {
      float of[kGroups];  // by distance of the group
      TILE_UNROLL
      for (int d = 0; d < kGroups; ++d) {
        const float x = __builtin_bit_cast(float, left[e]);
        of[d] = d == 0 ? x : t.shuffle_xor(x, 16 * d);
      }
      TILE_UNROLL
      for (int g = 0; g < kGroups; ++g) {
        float x = of[0];
        TILE_UNROLL
        for (int d = 1; d < kGroups; ++d)
          x = (own ^ d) == g ? of[d] : x;
        l.x[g * kSums + e] = x;
      }
    }
    return l;
  }

  template <class T, class Shared, int MT, int NT, class Tgt>
  static TILE_FN void step_rows(const Tgt& t, float (&sums)[MT][NT][kSums], const Left (&left)[MT],
                                u32 at, int n, int k) {
    TILE_UNROLL
    for (int e = 0; e < kSums; ++e) {
      const int row = n + column(t.lane(), e);
      TILE_UNROLL
      for (int i = 0; i < 16; i += 4) {
        const auto b = t.template lds<Words<4>>(at + Shared::offset(row, k + i));
        TILE_UNROLL
        for (int j = 0; j < 4; ++j)
          add(t, sums, n / 16, left, i + j, e, b.x[j]);
      }
    }
  }
  template <class T, class Shared, int MT, int NT, class Tgt>
  static TILE_FN void step_columns(const Tgt& t, float (&sums)[MT][NT][kSums],
                                   const Left (&left)[MT], u32 at, int k, int n) {
    TILE_UNROLL
    for (int i = 0; i < 16; ++i) {
      TILE_UNROLL
      for (int e = 0; e < kSums; e += 4) {
        const auto b =
            t.template lds<Words<4>>(at + Shared::offset(k + i, n + column(t.lane(), e)));
        TILE_UNROLL
        for (int j = 0; j < 4; ++j)
          add(t, sums, n / 16, left, i, e + j, b.x[j]);
      }
    }
  }
  template <class T, class Tgt>
  static TILE_FN void to_left(const Tgt&, u32 (&left)[kLeft], const float (&sums)[kSums]) {
    TILE_UNROLL
    for (int e = 0; e < kSums; ++e)
      left[e] = __builtin_bit_cast(u32, sums[e]);
  }

  // ---- pieces: a row's or a column's elements along k, in chunks of 16 bytes where they lie so

  struct LeftPiece {
    float x[kPieceDepth];  // of the lane's row
  };
  struct RightPiece {
    float x[kSums][kPieceDepth];  // of its columns
  };
  template <class T, class Shared, class Tgt>
  static TILE_FN LeftPiece left_rows(const Tgt& t, u32 at, int first, int k) {
    LeftPiece a;
    read(a.x, t, at + Shared::offset(first + row(t.lane(), 0), k));
    return a;
  }
  template <class T, class Shared, class Tgt>
  static TILE_FN LeftPiece left_columns(const Tgt& t, u32 at, int k, int first) {
    LeftPiece a;
    TILE_UNROLL
    for (int i = 0; i < kPieceDepth; ++i) {
      a.x[i] = __builtin_bit_cast(
          float, t.template lds<u32>(at + Shared::offset(k + i, first + row(t.lane(), 0))));
    }
    return a;
  }
  template <class T, class Shared, class Tgt>
  static TILE_FN RightPiece right_rows(const Tgt& t, u32 at, int first, int k) {
    RightPiece b;
    TILE_UNROLL
    for (int e = 0; e < kSums; ++e)
      read(b.x[e], t, at + Shared::offset(first + column(t.lane(), e), k));
    return b;
  }
  template <class T, class Shared, class Tgt>
  static TILE_FN RightPiece right_columns(const Tgt& t, u32 at, int k, int first) {
    RightPiece b;
    TILE_UNROLL
    for (int i = 0; i < kPieceDepth; ++i) {
      TILE_UNROLL
      for (int e = 0; e < kSums; e += 4) {
        float x[4];
        read(x, t, at + Shared::offset(k + i, first + column(t.lane(), e)));
        TILE_UNROLL
        for (int j = 0; j < 4; ++j)
          b.x[e + j][i] = x[j];
      }
    }
    return b;
  }
  template <class T, int MT, int NT, class Tgt>
  static TILE_FN void multiply(const Tgt& t, float (&sums)[MT][NT][kSums], int n,
                               const LeftPiece (&left)[MT], const RightPiece& b) {
    TILE_UNROLL
    for (int i = 0; i < kPieceDepth; ++i) {
      TILE_UNROLL
      for (int m = 0; m < MT; ++m) {
        TILE_UNROLL
        for (int e = 0; e < kSums; ++e)
          sums[m][n][e] = t.fma(left[m].x[i], b.x[e][i], sums[m][n][e]);
      }
    }
  }

 private:
  template <class Tgt>
  static TILE_FN void read(float (&x)[4], const Tgt& t, u32 at) {
    const auto words = t.template lds<Words<4>>(at);
    TILE_UNROLL
    for (int i = 0; i < 4; ++i)
      x[i] = __builtin_bit_cast(float, words.x[i]);
  }

  template <int MT, int NT, class Tgt>
  static TILE_FN void add(const Tgt& t, float (&sums)[MT][NT][kSums], int nt,
                          const Left (&left)[MT], int k, int e, u32 b) {
    TILE_UNROLL
    for (int m = 0; m < MT; ++m)
      sums[m][nt][e] = t.fma(left[m].x[k], __builtin_bit_cast(float, b), sums[m][nt][e]);
  }
};

}  // namespace tile
