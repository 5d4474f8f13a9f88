// The block of the wide lowering for contractions over a long k: columns in lanes, sums row by row
// in scratch, right operand packed.
//
// For each chunk of k the right operand is packed panel by panel, `register_vectors` vectors of
// columns at a time, just before register blocks of `register_rows` rows read it end to end. The
// left operand goes through the second-level cache, `left_rows` rows at a time: it stays where it
// lies, as far as its type and strides allow, and its elements are broadcast. Where a tile has more
// rows than that, panels are kept for those that follow. While one panel is multiplied, what comes
// next is fetched. Panels and groups of rows outside of the operands are not computed.
//
// Config members read here: register_rows, register_vectors, left_rows, streamed.

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
  static constexpr int kLeftRows = footprint::round_up(Config::left_rows, kGroup);

  template <int BM, int BN>
  struct Accum {
    static_assert(BN % kPanel == 0, "columns must be a multiple of lanes * register_vectors");
    static constexpr int kStride = BN + footprint::kRowPadding;
    float* d;
    bool zero = false;  // whatever d holds
  };
  // A chunk of k of an operand that has not been copied or packed yet.
  template <class T, int BK, class Operand>
  struct Chunk {
    const Operand& operand;
    i64 first, k0;          // row or column, and element, where the tile's begin
    int depth, next_depth;  // of this chunk and the next
    typename Multiplicand<T>::Lane* room;
  };

  TILE_FN PanelsBlock(const i64 (&id)[3], void* scratch) : Base(id), scratch_((float*)scratch) {}

  static constexpr i64 contraction_stack_bytes(int, int, int) { return 8 * kLeftRows; }
  template <class T, bool, bool>
  static constexpr u32 contraction_scratch_bytes(int block_m, int block_n, int block_k) {
    const int depth = block_k / Multiplicand<T>::kPerLane;
    return footprint::sums_bytes(block_m, block_n, kGroup) +
           footprint::panels_bytes(panels_kept(block_m, block_n), depth, kPanel) +
           footprint::left_bytes(kLeftRows, depth, kGroup);
  }

  template <int BM, int BN>
  TILE_FN void zero(Accum<BM, BN>& a) const {
    a.d = scratch_;
    a.zero = true;
  }

  // body(a, b) for every chunk of BK of k from lo to hi: a holds rows m0 .. m0 + BM - 1 of the left
  // operand, b columns n0 .. n0 + BN - 1 of the right one, to be multiplied by mma().
  template <int BM, int BN, int BK, class T, class Left, class Right, class F>
  TILE_FN void stream_k(i64 lo, i64 hi, const Left& a, i64 m0, const Right& b, i64 n0, F body) {
    using Lane = typename Multiplicand<T>::Lane;
    constexpr int kDepth = BK / Multiplicand<T>::kPerLane;
    rows_ = (int)lmin(BM, a.extent() - m0);
    columns_ = (int)lmin(BN, b.extent() - n0);
    Lane* panels = (Lane*)(scratch_ + footprint::sums_bytes(BM, BN, kGroup) / 4);
    Lane* left = panels + footprint::panels_bytes(panels_kept(BM, BN), kDepth, kPanel) / 4;
    TILE_ROLL
    for (i64 k0 = lo; k0 < hi; k0 += BK) {
      const int depth = (int)lmin(BK, hi - k0);
      const int next_depth = (int)lmin(BK, hi - k0 - depth);
      body(Chunk<T, BK, Left>{a, m0, k0, depth, next_depth, left},
           Chunk<T, BK, Right>{b, n0, k0, depth, next_depth, panels});
    }
  }

  // acc += a b
  template <int BM, int BN, class T, int BK, class Left, class Right>
  TILE_FN void mma(Accum<BM, BN>& acc, const Chunk<T, BK, Left>& a,
                   const Chunk<T, BK, Right>& b) const {
    TILE_ROLL
    for (int i0 = 0; i0 < rows_; i0 += kLeftRows) {
      const int count = imin(kLeftRows, rows_ - i0);
      const int next = imin(kLeftRows, rows_ - i0 - count);
      const RowPrefetch next_left =
          next > 0
              ? fetch<T>(a.operand, a.first + i0 + count, next, a.k0, a.depth)
              : fetch<T>(a.operand, a.first, imin(kLeftRows, rows_), a.k0 + a.depth, a.next_depth);
      if constexpr (Left::kDown) {
        multiply_rows(acc, i0, count, left_groups(a, i0, count), b, next_left);
      } else {
        const typename Multiplicand<T>::Lane* row[kLeftRows];
        multiply_rows(acc, i0, count, left_rows(row, a, i0, count), b, next_left);
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
                                  (int)lmin(BN, n - n0), acc.d, acc.kStride, f, inputs...);
  }

 private:
  static constexpr int panels_kept(int block_m, int block_n) {
    return block_m > kLeftRows ? block_n / kPanel : 1;
  }

  // Rows i0 .. i0 + count - 1 of acc += left times the chunk of the right operand, which the first
  // of a tile's rows pack.
  template <int BM, int BN, class Left, class T, int BK, class Right>
  TILE_OUTLINE void multiply_rows(Accum<BM, BN>& acc, int i0, int count, const Left& left,
                                  const Chunk<T, BK, Right>& b, RowPrefetch next_left) const {
    constexpr int kPerLane = Multiplicand<T>::kPerLane;
    constexpr i64 kPanelLanes =
        panels_kept(BM, BN) > 1 ? footprint::panel_lanes(BK / kPerLane, kPanel) : 0;
    const int depth = (b.depth + kPerLane - 1) / kPerLane;
    const int groups = (count + kGroup - 1) / kGroup;
    TILE_ROLL
    for (int j = 0; j < columns_; j += kPanel) {
      auto* panel = b.room + j / kPanel * kPanelLanes;
      if (i0 == 0) pack(panel, b, j);
      const bool last = j + kPanel >= columns_;
      const RowPrefetch next_right = fetch_panel(b, last ? 0 : j + kPanel, i0, i0 + count >= rows_);
      TILE_ROLL
      for (int g = 0; g < groups; ++g) {
        next_right.advance(g, groups);
        if (last) next_left.advance(g, groups);
        float* c = acc.d + (i64)(i0 + g * kGroup) * acc.kStride + j;
        TILE_UNROLL
        for (int i = 0; i < kGroup; ++i) {
          __builtin_prefetch(c + (kGroup + i) * acc.kStride, 1, 3);
        }
        left.template fetch<kGroup>((g + 1) * kGroup);
        if (acc.zero) {
          multiply_panel<kVectors, kGroup, false>(c, acc.kStride, left, g * kGroup, panel, depth);
        } else {
          multiply_panel<kVectors, kGroup, true>(c, acc.kStride, left, g * kGroup, panel, depth);
        }
      }
    }
  }

  // ---- operands

  // The panel of columns j ..
  template <class T, int BK, class Right>
  TILE_OUTLINE void pack(typename Multiplicand<T>::Lane* panel, const Chunk<T, BK, Right>& b,
                         int j) const {
    const int count = imin(kPanel, columns_ - j);
    if constexpr (Right::kDown) {
      pack_down<T, kPanel>(panel, 0, b.operand.view, b.first + j, count, b.k0, b.depth);
    } else {
      pack_along<T, kPanel>(panel, 0, b.operand.view, b.first + j, count, b.k0, b.depth);
    }
  }

  // What the panel at column j, which is the next, will be packed from: column 0 after the last.
  template <class T, int BK, class Right>
  TILE_FN RowPrefetch fetch_panel(const Chunk<T, BK, Right>& b, int j, int i0,
                                  bool last_rows) const {
    const int count = imin(kPanel, columns_ - j);
    if (j > 0 && i0 == 0) return fetch<T>(b.operand, b.first + j, count, b.k0, b.depth);
    if (j == 0 && last_rows) {
      return fetch<T>(b.operand, b.first, count, b.k0 + b.depth, b.next_depth);
    }
    return {};
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

  // Rows i0 .. i0 + count - 1 of the tile's.
  template <class T, int BK, class Left>
  TILE_OUTLINE LeftGroups<typename Multiplicand<T>::Lane> left_groups(const Chunk<T, BK, Left>& a,
                                                                      int i0, int count) const {
    constexpr i64 kStride = footprint::panel_lanes(BK / Multiplicand<T>::kPerLane, kGroup);
    pack_down<T, kGroup>(a.room, kStride, a.operand.view, a.first + i0, count, a.k0, a.depth);
    return {a.room, kStride};
  }

  // Rows behind the last are the last.
  template <class T, int BK, class Left, class Lane>
  TILE_OUTLINE LeftRows<Lane> left_rows(const Lane* (&row)[kLeftRows], const Chunk<T, BK, Left>& a,
                                        int i0, int count) const {
    constexpr int kPerLane = Multiplicand<T>::kPerLane;
    constexpr i64 kStride = footprint::left_stride(BK / kPerLane);
    constexpr bool kSameBits = sizeof(T) * kPerLane == sizeof(Lane);
    const auto& view = a.operand.view;
    const i64 first = a.first + i0;
    const bool in_place = kSameBits && a.depth % kPerLane == 0 && spread_out<T>(view);
    if (!in_place) copy_rows<T>(a.room, kStride, view, first, count, a.k0, a.depth);
    TILE_ROLL
    for (int i = 0; i < kLeftRows; ++i) {
      const int there = imin(i, count - 1);
      row[i] =
          in_place ? (const Lane*)view.at(view.row(first + there), a.k0) : a.room + there * kStride;
    }
    return {row, kLeftRows};
  }

  // Rows a multiple of 2 KiB apart share so few cache sets that a chunk evicts itself.
  template <class T, class View>
  static TILE_FN bool spread_out(const View& view) {
    if constexpr (View::kAffine) return view.stride * (i64)sizeof(T) % 2048 != 0;
    return true;
  }

  float* scratch_;
  int columns_ = 0;  // of the right operand, within the tile; rows_ those of the left one
};

}  // namespace tile
