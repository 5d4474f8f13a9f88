// The block of the wide lowering for contractions over a long k: columns in lanes, sums row by row
// in the cache, right operand packed.
//
// The right operand is packed panel by panel, `register_vectors` vectors of columns and a chunk of
// k at a time, just before register blocks of `register_rows` rows read it end to end; the left
// operand stays where it lies, as far as its type and strides allow, and its elements are
// broadcast. While one panel is multiplied, what comes next is fetched. Panels and groups of rows
// outside of the operands are not computed.
//
// Config members read here: register_rows, register_vectors, streamed.

#pragma once

#include "tile/schedule.h"
#include "tile/wide/finish.h"
#include "tile/wide/packing.h"
#include "tile/wide/panel_product.h"
#include "tile/wide/staging.h"
#include "tile/wide/tiles_block.h"

namespace tile {

template <class ConfigType>
class PanelsBlock : public TilesBlock<ConfigType, float, i32> {
  using Base = TilesBlock<ConfigType, float, i32>;
  using Base::rows_;

 public:
  using Config = ConfigType;
  static constexpr int kGroup = Config::register_rows;
  static constexpr int kVectors = Config::register_vectors;
  static constexpr int kPanel = footprint::panel_columns(kLanes, kVectors);

  template <int BM, int BN>
  struct Accum {
    static_assert(BN % kPanel == 0, "columns must be a multiple of lanes * register_vectors");
    static constexpr int kStride = BN + footprint::kRowPadding;
    alignas(64) float d[footprint::round_up(BM, kGroup)][kStride];
    bool zero = false;  // whatever d holds
  };
  // A chunk of k of the right operand, not packed yet.
  template <class T, int BK, class Right>
  struct RightChunk {
    const Right& operand;
    i64 n0, k0;
    int depth, next_depth;  // of this chunk and the next
    typename Multiplicand<T>::Lane* panel;
  };

  TILE_FN PanelsBlock(const i64 (&id)[3], void* scratch) : Base(id), scratch_((float*)scratch) {}

  static constexpr i64 contraction_stack_bytes(int block_m, int block_n, int) {
    return footprint::sums_bytes(block_m, block_n, kGroup);
  }
  template <class T, bool, bool>
  static constexpr u32 contraction_scratch_bytes(int block_m, int, int block_k) {
    return footprint::packed_bytes(block_m, block_k / Multiplicand<T>::kPerLane, kPanel, kGroup);
  }

  template <int BM, int BN>
  TILE_FN void zero(Accum<BM, BN>& a) const {
    a.zero = true;
  }

  // body(a, b) for every chunk of BK of k: a holds rows m0 .. m0 + BM - 1 of the left operand, b
  // columns n0 .. n0 + BN - 1 of the right one, to be multiplied by mma().
  template <int BM, int BN, int BK, class T, class Left, class Right, class F>
  TILE_FN void stream_k(i64 k, const Left& a, i64 m0, const Right& b, i64 n0, F body) {
    using Lane = typename Multiplicand<T>::Lane;
    constexpr int kRows = footprint::round_up(BM, kGroup);
    rows_ = (int)lmin(BM, a.extent() - m0);
    columns_ = (int)lmin(BN, b.extent() - n0);
    Lane* panel = (Lane*)scratch_;
    Lane* left = panel + footprint::panel_lanes(BK / Multiplicand<T>::kPerLane, kPanel);
    TILE_ROLL
    for (i64 k0 = 0; k0 < k; k0 += BK) {
      const int depth = (int)lmin(BK, k - k0);
      const int next_depth = (int)lmin(BK, k - k0 - depth);
      const RightChunk<T, BK, Right> right{b, n0, k0, depth, next_depth, panel};
      next_left_ = fetch<T>(a, m0, rows_, k0 + depth, next_depth);
      if constexpr (Left::kDown) {
        body(left_groups<BK, T>(left, a, m0, k0, depth), right);
      } else {
        const Lane* row[kRows];
        body(left_rows<kRows, BK, T>(row, left, a, m0, k0, depth), right);
      }
    }
  }

  // acc += a b
  template <int BM, int BN, class Left, class T, int BK, class Right>
  TILE_OUTLINE void mma(Accum<BM, BN>& acc, const Left& a,
                        const RightChunk<T, BK, Right>& b) const {
    const int depth = (b.depth + Multiplicand<T>::kPerLane - 1) / Multiplicand<T>::kPerLane;
    const int groups = (rows_ + kGroup - 1) / kGroup;
    TILE_ROLL
    for (int j = 0; j < columns_; j += kPanel) {
      pack<T>(b, j);
      const bool last = j + kPanel >= columns_;
      const RowPrefetch next_right =
          last ? fetch<T>(b.operand, b.n0, imin(kPanel, columns_), b.k0 + b.depth, b.next_depth)
               : fetch<T>(b.operand, b.n0 + j + kPanel, imin(kPanel, columns_ - j - kPanel), b.k0,
                          b.depth);
      TILE_ROLL
      for (int g = 0; g < groups; ++g) {
        next_right.advance(g, groups);
        if (last) next_left_.advance(g, groups);
        float* c = &acc.d[g * kGroup][j];
        TILE_UNROLL
        for (int i = 0; i < kGroup; ++i) {
          __builtin_prefetch(c + (kGroup + i) * acc.kStride, 1, 3);
        }
        a.template fetch<kGroup>((g + 1) * kGroup);
        if (acc.zero) {
          multiply_panel<kVectors, kGroup, false>(c, acc.kStride, a, g * kGroup, b.panel, depth);
        } else {
          multiply_panel<kVectors, kGroup, true>(c, acc.kStride, a, g * kGroup, b.panel, depth);
        }
      }
    }
    acc.zero = false;
  }

  // Element (i, j) of the view, i >= m0 and n0 <= j < n, becomes f(sum, input...) with the inputs'
  // values there.
  template <int BM, int BN, class View, class F, class... Inputs>
  TILE_OUTLINE void store(const View& view, i64 m0, i64 n, i64 n0, const Accum<BM, BN>& acc, F f,
                          const Inputs&... inputs) const {
    finish_rows<Config::streamed>(view, m0, (int)lmin(BM, view.rows - m0), n0,
                                  (int)lmin(BN, n - n0), &acc.d[0][0], acc.kStride, f, inputs...);
  }

 private:
  // ---- operands

  // The panel of columns j ..
  template <class T, int BK, class Right>
  TILE_OUTLINE void pack(const RightChunk<T, BK, Right>& b, int j) const {
    const int count = imin(kPanel, columns_ - j);
    if constexpr (Right::kDown) {
      pack_down<T, kPanel>(b.panel, 0, b.operand.view, b.n0 + j, count, b.k0, b.depth);
    } else {
      pack_along<T, kPanel>(b.panel, 0, b.operand.view, b.n0 + j, count, b.k0, b.depth);
    }
  }

  // What will be read of `count` rows or columns of an operand from `first` on, and `depth` of k
  // from k0 on.
  template <class T, class Operand>
  static TILE_FN RowPrefetch fetch(const Operand& operand, i64 first, int count, i64 k0,
                                   int depth) {
    if constexpr (Operand::View::kAffine) {
      if (depth <= 0) return {};
      const i64 row = Operand::kDown ? k0 : first, element = Operand::kDown ? first : k0;
      const T* p = operand.view.at(operand.view.row(row), element);
      const int rows = Operand::kDown ? depth : count, elements = Operand::kDown ? count : depth;
      return {(const char*)p, operand.view.stride * (i64)sizeof(T), rows,
              elements * (int)sizeof(T)};
    } else {
      return {};
    }
  }

  template <int BK, class T, class Left>
  TILE_OUTLINE LeftGroups<typename Multiplicand<T>::Lane> left_groups(
      typename Multiplicand<T>::Lane* to, const Left& a, i64 m0, i64 k0, int depth) const {
    constexpr i64 kStride = footprint::panel_lanes(BK / Multiplicand<T>::kPerLane, kGroup);
    pack_down<T, kGroup>(to, kStride, a.view, m0, rows_, k0, depth);
    return {to, kStride};
  }

  // Rows outside of the operand are one that is there.
  template <int kRows, int BK, class T, class Left, class Lane>
  TILE_OUTLINE LeftRows<Lane> left_rows(const Lane* (&row)[kRows], Lane* to, const Left& a, i64 m0,
                                        i64 k0, int depth) const {
    constexpr int kPerLane = Multiplicand<T>::kPerLane;
    constexpr i64 kStride = footprint::left_stride(BK / kPerLane);
    constexpr bool kSameBits = sizeof(T) * kPerLane == sizeof(Lane);
    const bool in_place = kSameBits && depth % kPerLane == 0 && spread_out<T>(a.view);
    if (!in_place) copy_rows<T>(to, kStride, a.view, m0, rows_, k0, depth);
    TILE_ROLL
    for (int i = 0; i < kRows; ++i) {
      const int there = imin(i, rows_ - 1);
      row[i] = in_place ? (const Lane*)a.view.at(a.view.row(m0 + there), k0) : to + there * kStride;
    }
    return {row, kRows};
  }

  // Rows a multiple of 2 KiB apart share so few cache sets that a chunk evicts itself.
  template <class T, class View>
  static TILE_FN bool spread_out(const View& view) {
    if constexpr (View::kAffine) return view.stride * (i64)sizeof(T) % 2048 != 0;
    return true;
  }

  float* scratch_;
  RowPrefetch next_left_;
  int columns_ = 0;  // of the right operand, within the tile; rows_ those of the left one
};

}  // namespace tile
