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
  static constexpr int kLanes = WarpLanes, kGroups = kLanes / 16, kSums = 16 / kGroups;
  static constexpr int kRowSlots = 1, kLeft = kSums, kPerRegister = 1;
  static constexpr int kExchangeFrom = 16, kExchangeTo = kLanes / 2;
  template <class T, int R, int C, Swizzle S>
  using RightRows = SharedTile<T, R, C, S>;
  template <class T, int R, int C, Swizzle S>
  using RightColumns = SharedTile<T, R, C, S>;

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

 private:
  template <int MT, int NT, class Tgt>
  static TILE_FN void add(const Tgt& t, float (&sums)[MT][NT][kSums], int nt,
                          const Left (&left)[MT], int k, int e, u32 b) {
    TILE_UNROLL
    for (int m = 0; m < MT; ++m)
      sums[m][nt][e] = t.fma(left[m].x[k], __builtin_bit_cast(float, b), sums[m][nt][e]);
  }
};

}  // namespace tile
