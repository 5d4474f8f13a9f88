// The block of the wide lowering whose tiles have their rows in lanes: for tiles of many rows.
//
// A tile of BM rows is stored in panels of `Config::register_rows` vectors of rows; a panel is the
// left side of a register block of `Config::register_columns` columns. A row never leaves its lane,
// so that row reductions are free. Panels without a valid row, and columns that no row of a panel
// needs, are not computed: `load` says how many rows there are, the key loop how many columns.
//
// Config members read here: register_rows, register_columns, operands, prefetch.

#pragma once

#include "tile/wide/product.h"
#include "tile/wide/staging.h"
#include "tile/wide/tiles_block.h"

namespace tile {

template <class Config>
class RowsBlock : public TilesBlock<Config, VecF32, VecI32> {
  using Base = TilesBlock<Config, VecF32, VecI32>;

 public:
  template <int BM>
  using Row = RowValues<VecF32, BM>;
  template <int BM>
  using IndexRow = RowValues<VecI32, BM>;
  using Base::Base;

  static constexpr int kPanelVectors = Config::register_rows;
  static constexpr int kPanel = footprint::panel_rows(kLanes, kPanelVectors);
  static constexpr int kGroup = Config::register_columns;

  template <int BM, int N>
  struct Accum {
    static_assert(BM % kPanel == 0, "a tile's rows must be a multiple of lanes * register_rows");
    alignas(64) float d[BM / kPanel][N][kPanel];
    Row<BM> scale;  // owed to the values if `scaled`; the next product or store pays it
    bool scaled = false;
    int columns[BM / kPanel];  // of each panel, in use; the key loop sets it
  };
  template <class T, int BM, int K>
  struct Operand {
    using Lane = typename Multiplicand<T>::Lane;
    static constexpr int kDepth = K / Multiplicand<T>::kPerLane;
    alignas(64) Lane d[BM / kPanel][kDepth][kPanel];
  };
  // An operand in the place of the accumulator that it was made from.
  template <class T, int BM, int K>
  struct OperandInPlace {
    const typename Multiplicand<T>::Lane* lanes;
    const int* columns;  // of each panel
  };

  // ---- tiles

  template <int BM, int N>
  TILE_OUTLINE void fill(Accum<BM, N>& a, float x) const {
    float* d = &a.d[0][0][0];
    TILE_ROLL
    for (int i = 0; i < panels<BM>() * N * kPanel; i += kLanes) {
      *(VecF32*)(d + i) = splat(x);
    }
    a.scaled = false;
  }

  // Rows r0 .. of the view; rows outside it are 0. From here on the block's rows are the view's.
  template <class T, int BM, int K, class View>
  TILE_OUTLINE void load(Operand<T, BM, K>& q, const View& view, i64 r0) {
    this->template take_rows<BM>(view, r0);
    for_each_vector<BM>([&](int p, int v) {
      load_transposed<T, Operand<T, BM, K>::kDepth, Multiplicand<T>::kPerLane>(
          view, r0 + p * kPanel + v * kLanes,
          [&](int k, VecF32 x) { *(VecF32*)&q.d[p][k][v * kLanes] = x; });
    });
  }

  // o += w * (rows r0 .. of the view), row by row.
  template <int BM, int N, class View>
  TILE_FN void add_rows(Accum<BM, N>& o, const View& view, i64 r0, const Row<BM>& w) const {
    for_each_vector<BM>([&](int p, int v) {
      const VecF32 weight = w.v[p * kPanelVectors + v];
      load_transposed<float, N, 1>(view, r0 + p * kPanel + v * kLanes, [&](int k, VecF32 x) {
        VecF32& sum = *(VecF32*)&o.d[p][k][v * kLanes];
        sum = xfma(x, weight, sum);
      });
    });
  }

  // Rows r0 .. of the view become o times `factor`, row by row.
  template <int BM, int N, class View>
  TILE_OUTLINE void store(const View& view, i64 r0, const Accum<BM, N>& o,
                          const Row<BM>& factor) const {
    for_each_vector<BM>([&](int p, int v) {
      const int i = p * kPanelVectors + v;
      const VecF32 scale = o.scaled ? factor.v[i] * o.scale.v[i] : factor.v[i];
      const i64 first = r0 + i * kLanes;
      const int valid = (int)lmin(kLanes, view.rows - first);
      for_each_square<N>([&](auto part, int n0) {
        VecF32 t[kLanes];
        TILE_UNROLL
        for (int n = 0; n < kLanes; ++n) {
          t[n] = n < part.value ? *(const VecF32*)&o.d[p][n0 + n][v * kLanes] * scale : VecF32{};
        }
        transpose(t);
        TILE_UNROLL
        for (int r = 0; r < kLanes; ++r) {
          if (r < valid) store_part<part.value>(view.row(first + r) + n0, t[r]);
        }
      });
    });
  }

  // ---- products

  // s = q k^T, as far as columns are in use.
  template <class T, int BM, int N, int K>
  TILE_OUTLINE void mma_abt(Accum<BM, N>& s, const Operand<T, BM, K>& q,
                            const RowsRef<T>& k) const {
    s.scaled = false;
    TILE_ROLL
    for (int p = 0; p < panels<BM>(); ++p) {
      const int groups = s.columns[p] / kGroup;
      TILE_ROLL
      for (int g = 0; g < groups; ++g) {
        if (p == 0) next_v_.advance(g, groups);
        register_block<kPanelVectors, kGroup, false>(&s.d[p][g * kGroup][0], &q.d[p][0][0],
                                                     k.lanes + g * kGroup * k.stride, k.stride, 1,
                                                     Operand<T, BM, K>::kDepth, nullptr);
      }
    }
  }

  // o = diag(owed scale) o + p v
  template <class T, int BM, int N, int K>
  TILE_OUTLINE void mma_acc(Accum<BM, N>& o, const OperandInPlace<T, BM, K>& p,
                            const ColumnsRef<T>& v) const {
    using Split = ColumnSplit<N, kGroup>;
    TILE_ROLL
    for (int i = 0; i < panels<BM>(); ++i) {
      const VecF32* scale = o.scaled ? &o.scale.v[i * kPanelVectors] : nullptr;
      const auto* left = p.lanes + (i64)i * K * kPanel;
      const int depth = p.columns[i] / Multiplicand<T>::kPerLane;
      int n = 0;
      TILE_ROLL
      for (int g = 0; g < Split::whole; ++g, n += kGroup) {
        if (i == 0) next_k_.advance(g, Split::whole);
        register_block<kPanelVectors, kGroup, true>(&o.d[i][n][0], left, v.lanes + n, 1, v.stride,
                                                    depth, scale);
      }
      if constexpr (Split::tails != 0) {
        TILE_ROLL
        for (int g = 0; g < Split::tails; ++g, n += Split::tail) {
          register_block<kPanelVectors, Split::tail, true>(&o.d[i][n][0], left, v.lanes + n, 1,
                                                           v.stride, depth, scale);
        }
      }
    }
    o.scaled = false;
  }

  // The values become the left operand of the next product; `map_rows<T>` has written them as such.
  template <class T, int BM, int N>
  TILE_FN OperandInPlace<T, BM, N> to_operand(const Accum<BM, N>& s) const {
    return {(const typename Multiplicand<T>::Lane*)&s.d[0][0][0], s.columns};
  }

  // ---- maps

  // x = f(x, row index, column index, value of each row...): indices may be vectors.
  template <int BM, int N, class F, class... R>
  TILE_OUTLINE void map(Accum<BM, N>& s, F f, const R&... row) const {
    TILE_ROLL
    for (int i = 0; i < panels<BM>() * kPanelVectors; ++i) {
      float* x = &s.d[i / kPanelVectors][0][i % kPanelVectors * kLanes];
      const VecI32 index = lane_index() + i * kLanes;
      TILE_ROLL
      for (int j = 0; j < s.columns[i / kPanelVectors]; ++j, x += kPanel) {
        *(VecF32*)x = f(*(const VecF32*)x, index, j, row.v[i]...);
      }
    }
  }

  // m = max(m, greatest value of the row)
  template <int BM, int N>
  TILE_OUTLINE void row_max(Row<BM>& m, const Accum<BM, N>& s) const {
    TILE_ROLL
    for (int p = 0; p < panels<BM>(); ++p) {
      const int columns = s.columns[p];
      VecF32 even[kPanelVectors], odd[kPanelVectors];
      TILE_UNROLL
      for (int v = 0; v < kPanelVectors; ++v) {
        even[v] = odd[v] = m.v[p * kPanelVectors + v];
      }
      _Pragma("clang loop unroll_count(2)") for (int j = 0; j < columns; j += 2) {
        TILE_UNROLL
        for (int v = 0; v < kPanelVectors; ++v) {
          even[v] = xmax(*(const VecF32*)&s.d[p][j][v * kLanes], even[v]);
          odd[v] = xmax(*(const VecF32*)&s.d[p][j + 1][v * kLanes], odd[v]);
        }
      }
      TILE_UNROLL
      for (int v = 0; v < kPanelVectors; ++v) {
        m.v[p * kPanelVectors + v] = xmax(even[v], odd[v]);
      }
    }
  }

  // x = f(x, r), written as an operand of T for the next product; l += partial sums of the rows.
  template <class T, int BM, int N, class F>
  TILE_OUTLINE void map_rows(Accum<BM, N>& s, const Row<BM>& r, Row<BM>& l, F f) const {
    TILE_ROLL
    for (int p = 0; p < panels<BM>(); ++p) {
      const int columns = s.columns[p];
      VecF32 sum[kPanelVectors];
      TILE_UNROLL
      for (int v = 0; v < kPanelVectors; ++v)
        sum[v] = l.v[p * kPanelVectors + v];
      float* to = &s.d[p][0][0];
      TILE_ROLL
      for (int j = 0; j < columns; j += 2) {
        TILE_UNROLL
        for (int v = 0; v < kPanelVectors; ++v) {
          const VecF32 reference = r.v[p * kPanelVectors + v];
          const VecF32 a = f(*(const VecF32*)&s.d[p][j][v * kLanes], reference);
          const VecF32 b = f(*(const VecF32*)&s.d[p][j + 1][v * kLanes], reference);
          sum[v] += a + b;
          if constexpr (Multiplicand<T>::kPerLane == 2) {
            *(VecU32*)(to + v * kLanes) = pair_up(a, b);
          } else {
            *(VecF32*)(to + v * kLanes) = a;
            *(VecF32*)(to + kPanel + v * kLanes) = b;
          }
        }
        to += 2 / Multiplicand<T>::kPerLane * kPanel;
      }
      TILE_UNROLL
      for (int v = 0; v < kPanelVectors; ++v)
        l.v[p * kPanelVectors + v] = sum[v];
    }
  }

  // ---- the key loop

  // For every chunk of BN rows of k and v from `lo` to `hi`: score(s, k); soften(first row, s,
  // alpha); p = turn(s, alpha); accumulate(p, v). Rows past `hi` that share a chunk with rows
  // before it are zeros or belong to the views; scores of such rows are the caller's to mask.
  template <int BM, int BN, class T, int D, int DV, class KView, class VView, class Score,
            class Soften, class Turn, class Accumulate>
  TILE_FN void stream(i64 lo, i64 hi, const IndexRow<BM>& last, const KView& k, const VView& v,
                      Score score, Soften soften, Turn turn, Accumulate accumulate) {
    static_assert(BN % kGroup == 0, "a chunk's rows must be a multiple of register_columns");
    static_assert(kGroup % 2 == 0, "register_columns must be even: columns are taken in pairs");
    using Lane = typename Multiplicand<T>::Lane;
    constexpr int kPerLane = Multiplicand<T>::kPerLane;
    constexpr bool kInPlace = Config::operands == Operands::in_place;
    constexpr bool kRowsInPlace = kInPlace && KView::kAffine && sizeof(T) * kPerLane == 4;
    constexpr bool kColumnsInPlace = kInPlace && VView::kAffine && kSame<T, float>;
    Accum<BM, BN> s;
    Row<BM> alpha = this->template row<BM>(1.f);
    StagedRows<T, BN, D> staged_k;
    StagedColumns<T, BN, DV> staged_v;
    TILE_ROLL
    for (i64 n0 = lo; n0 < hi; n0 += BN) {
      const int valid = (int)lmin(BN, hi - n0);
      const int padded = footprint::round_up(valid, kGroup);
      RowsRef<T> rows;
      if (kRowsInPlace && valid == padded && suits_in_place<T>(k)) {
        if constexpr (KView::kAffine) {
          rows = {(const Lane*)k.row(n0), k.stride / kPerLane, padded};
        }
      } else {
        rows = staged_k.stage(k, n0, valid, padded);
      }
      // What the next product reads is fetched during this one.
      if constexpr (Config::prefetch) {
        next_v_ = RowPrefetch::of(v, n0, hi, BN, DV);
        next_k_ = RowPrefetch::of(k, n0 + BN, hi, BN, D);
      }
      for (int p = 0; p < panels<BM>(); ++p) {
        const i64 needed = last.v[(p + 1) * kPanelVectors - 1][kLanes - 1] - n0 + 1;
        s.columns[p] = footprint::round_up((int)lmin(lmax(needed, 0), valid), kGroup);
      }
      score(s, rows);
      soften(n0, s, alpha);
      auto&& p = turn(s, alpha);
      ColumnsRef<T> columns;
      if (kColumnsInPlace && valid == padded && suits_in_place<T>(v)) {
        if constexpr (VView::kAffine) columns = {(const Lane*)v.row(n0), v.stride};
      } else {
        columns = staged_v.stage(v, n0, valid, padded);
      }
      accumulate(p, columns);
    }
  }

 private:
  // Rows a multiple of 2 KiB apart share so few cache sets that a chunk evicts itself.
  template <class T, class View>
  static TILE_FN bool suits_in_place(const View& view) {
    if constexpr (View::kAffine) {
      return view.stride % Multiplicand<T>::kPerLane == 0 &&
             view.stride * (i64)sizeof(T) % 2048 != 0;
    } else {
      return false;
    }
  }

  template <int BM>
  TILE_FN int panels() const {
    return imin(BM / kPanel, (this->rows_ + kPanel - 1) / kPanel);
  }

  // f(panel, vector of the panel) for every vector of rows in use.
  template <int BM, class F>
  TILE_FN void for_each_vector(F f) const {
    TILE_ROLL
    for (int i = 0; i < panels<BM>() * kPanelVectors; ++i) {
      f(i / kPanelVectors, i % kPanelVectors);
    }
  }

  // f(columns there are, first column) for every square of kLanes columns.
  template <int N, class F>
  static TILE_FN void for_each_square(F f) {
    constexpr int kWhole = N / kLanes * kLanes;
    TILE_ROLL
    for (int n = 0; n < kWhole; n += kLanes)
      f(Constant<kLanes>{}, n);
    if constexpr (kWhole != N) f(Constant<N - kWhole>{}, kWhole);
  }

  // put(column, rows in lanes) for N columns of 32-bit lanes of kLanes rows of the view; rows
  // outside it are 0.
  template <class T, int N, int kPerLane, class View, class F>
  static TILE_FN void load_transposed(const View& view, i64 first, F put) {
    const int valid = (int)lmin(kLanes, view.rows - first);
    for_each_square<N>([&](auto part, int n0) {
      VecF32 t[kLanes];
      TILE_UNROLL
      for (int r = 0; r < kLanes; ++r) {
        t[r] = VecF32{};
        if (r < valid) {
          const T* p = view.row(first + r) + n0 * kPerLane;
          if constexpr (kPerLane == 2) {
            t[r] = load_part<part.value>((const float*)p);
          } else {
            t[r] = load_part<part.value>(p);
          }
        }
      }
      transpose(t);
      TILE_UNROLL
      for (int n = 0; n < part.value; ++n)
        put(n0 + n, t[n]);
    });
  }

  RowPrefetch next_k_, next_v_;
};

}  // namespace tile
