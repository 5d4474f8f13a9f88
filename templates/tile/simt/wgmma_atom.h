// The atom of Hopper's products of warpgroups: four warps multiply 64 rows, with right operands
// straight from scratchpad.
//
// Sums, and left operands in registers, lie in each warp as those of mma.m16n8k16 do. Products are
// of whole tiles and asynchronous: what begins with `begin` only issues them, as one group.
// Until a wait() for it, nothing may touch the sums and the left operand, nor write the tiles that
// it reads. After the wait, settle() what is read next: it keeps the compiler from reading sooner.
//
// How an operand lies in scratchpad is told by a matrix descriptor (PTX ISA, "Matrix descriptor
// format"; layouts as in "Strides"): of panels with a swizzle, the address of its first row and
// chunk, the stride between groups of 8 rows, and the stride between panels.

#pragma once

#include "tile/simt/shared.h"
#include "tile/simt/target.h"

namespace tile {

// All but the address, in units of 16 bytes.
template <class Shared>
constexpr u64 matrix_descriptor() {
  constexpr int kPanel = Shared::kPanel;
  constexpr u64 kMode = kPanel == 128 ? 1 : kPanel == 64 ? 2 : 3;
  constexpr u64 kPanels = Shared::kRows * kPanel / 16, kGroups = 8 * kPanel / 16;
  static_assert(Shared::kRows % 8 == 0 && Shared::kColumns * 2 % kPanel == 0,
                "a descriptor takes whole panels");
  static_assert(kPanels < 1 << 14, "the stride does not fit its field");
  return kMode << 62 | kGroups << 32 | kPanels << 16;
}

// Columns of the widest product that the target offers, at most `columns` (a multiple of 16).
constexpr int product_columns(int columns) {
  int n = 16;
  while (2 * n <= columns && n < 256)
    n *= 2;
  return n;
}

template <>
struct Atom<Fragment::wgmma_m64k16, 32> : Atom<Fragment::mma_m16n8k16, 32> {
  using Instruction = WgmmaM64K16;
  static constexpr int kGroupWarps = 4;

  template <class T, int R, int C>
  using Panels = SharedTile<T, R, C, Swizzle::exclusive,
                            footprint::panel_bytes(Fragment::wgmma_m64k16, C*(int)sizeof(T))>;
  template <class T, int R, int C>
  using LeftRows = Panels<T, R, C>;
  template <class T, int R, int C, Swizzle>
  using RightRows = Panels<T, R, C>;
  template <class T, int R, int C, Swizzle>
  using RightColumns = Panels<T, R, C>;

  // sums[m] = rows `row + 64 m` .. of the left operand times the right one, k along both's rows.
  template <class T, class LeftShared, class Shared, int MT, int NT, class Tgt>
  static TILE_FN void begin_rows(const Tgt& t, float (&sums)[MT][NT][kSums], u32 left_at, int row,
                                 u32 at) {
    begin<T, InScratchpad<LeftShared, false>, InScratchpad<Shared, false>, /*kAdd=*/false>(
        t, sums, left_at, row, at);
  }

  // The same, or added to the sums, with operands whose k runs along their rows or down.
  template <class Shared, bool kDown>
  struct InScratchpad {
    static constexpr int kDepth = kDown ? Shared::kRows : Shared::kColumns;
    static constexpr bool kDownRows = kDown;
    // Of rows (or columns) from i on, and of k.
    template <class Tgt>
    static TILE_FN u64 descriptor_at(const Tgt& t, u32 at, int i, int k) {
      return kDown ? descriptor<Shared>(t, at, k, i) : descriptor<Shared>(t, at, i, k);
    }
  };
  template <class T, class LeftOperand, class RightOperand, bool kAdd, int MT, int NT, class Tgt>
  static TILE_FN void begin(const Tgt& t, float (&sums)[MT][NT][kSums], u32 left_at, int row,
                            u32 at) {
    if constexpr (kAdd) settle(t, sums);
    t.product_fence();
    TILE_UNROLL
    for (int m = 0; m < MT; ++m) {
      each_width<NT * 16>([&](auto from, auto width) {
        TILE_UNROLL
        for (int k = 0; k < RightOperand::kDepth; k += 16) {
          t.template product<T, width.value, LeftOperand::kDownRows, RightOperand::kDownRows>(
              sums[m][from.value / 16], LeftOperand::descriptor_at(t, left_at, row + m * 64, k),
              RightOperand::descriptor_at(t, at, from.value, k), kAdd || k > 0);
        }
      });
    }
    t.product_commit();
  }

  // sums[m] += left[m] times the right operand, k down its rows.
  template <class T, class Shared, int MT, int NT, int KT, class Tgt>
  static TILE_FN void begin_columns(const Tgt& t, float (&sums)[MT][NT][kSums],
                                    const u32 (&left)[MT][KT][kLeft], u32 at) {
    settle(t, sums);
    t.product_fence();
    TILE_UNROLL
    for (int m = 0; m < MT; ++m) {
      each_width<NT * 16>([&](auto from, auto width) {
        static_assert(from.value * 2 % Shared::kPanel == 0);
        TILE_UNROLL
        for (int k = 0; k < KT; ++k) {
          t.template product_down<T, width.value>(sums[m][from.value / 16], left[m][k],
                                                  descriptor<Shared>(t, at, k * 16, from.value));
        }
      });
    }
    t.product_commit();
  }

  // Until all but the latest N groups of products are done.
  template <int N, class Tgt>
  static TILE_FN void wait(const Tgt& t) {
    t.template product_wait<N>();
  }
  template <int MT, int NT, class Tgt>
  static TILE_FN void settle(const Tgt& t, float (&sums)[MT][NT][kSums]) {
    TILE_UNROLL
    for (int m = 0; m < MT; ++m) {
      TILE_UNROLL
      for (int n = 0; n < NT; ++n) {
        TILE_UNROLL
        for (int e = 0; e < kSums; ++e)
          t.settle(sums[m][n][e]);
      }
    }
  }

 private:
  template <class Shared, class Tgt>
  static TILE_FN u64 descriptor(const Tgt& t, u32 at, int row, int column) {
    return matrix_descriptor<Shared>() |
           (t.address(at + Shared::offset(row, column)) & 0x3ffff) >> 4;
  }

  // f(first column, columns) for products that together have N columns.
  template <int N, int From = 0, class F>
  static TILE_FN void each_width(F f) {
    constexpr int kWidth = product_columns(N);
    f(Constant<From>{}, Constant<kWidth>{});
    if constexpr (N > kWidth) each_width<N - kWidth, From + kWidth>(f);
  }
};

}  // namespace tile
