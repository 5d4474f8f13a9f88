// The block of the simt lowering that owns tiles and products of tiles.
//
// Config members read here: fragment, warps, stages, swizzle, staging, left_operand, roles,
// chiplets (tile/schedule.h).

#pragma once

#include "tile/simt/chunks.h"
#include "tile/simt/elementary.h"
#include "tile/simt/grid_block.h"
#include "tile/simt/memory.h"
#include "tile/simt/roles.h"
#include "tile/simt/tiles.h"
#include "tile/view.h"

namespace tile {

namespace detail {
template <bool kGroups, LeftOperand kWaits, class S, class T, int BM, int K>
struct OperandOf {
  using Type = SharedOperand<S, T, BM, K>;
};
template <class S, class T, int BM, int K>
struct OperandOf<false, LeftOperand::registers, S, T, BM, K> {
  using Type = SimtOperand<S, T, BM, K>;
};
template <class S, class T, int BM, int K>
struct OperandOf<false, LeftOperand::scratchpad, S, T, BM, K> {
  using Type = ParkedOperand<S, T, BM, K>;
};
}  // namespace detail

template <class ConfigType>
class TilesBlock : public GridBlock {
 public:
  using Config = ConfigType;
  using A = Atom<Config::fragment, Target::kLanes>;
  using S = Spread<A, Config::warps>;
  static_assert(A::kLanes == Target::kLanes, "the fragment is of another warp size");
  static constexpr Roles kRoles = roles_of<Config>();
  static_assert(footprint::roles_possible(Config::fragment, Config::warps, kRoles));
  // Of the block, and of the warps that own tiles.
  static constexpr int kThreads = footprint::block_threads(Config::warps, Target::kLanes, kRoles);
  static constexpr int kOwnThreads = footprint::threads(Config::warps, Target::kLanes);

  template <int BM>
  using Row = SimtRow<S, BM, float>;
  template <int BM>
  using IndexRow = SimtRow<S, BM, i32>;
  template <int BM, int N>
  using Accum = SimtAccum<S, BM, N>;
  // Products of groups take loaded left operands from scratchpad, of warps from where they wait.
  static constexpr bool kGroups = A::kGroupWarps > 1;
  template <class T, int BM, int K>
  using Operand = typename detail::OperandOf<kGroups, Config::left_operand, S, T, BM, K>::Type;

  using GridBlock::GridBlock;

  template <int I>
  TILE_FN i64 id() const {
    return id_of_run<I, chiplets_of<Config>(), kThreads>();
  }

  // Scratchpad that the key loop takes.
  static constexpr i64 stream_bytes(int block_m, int block_n, int depth) {
    return footprint::stream_bytes(Config::fragment, block_m, block_n, depth,
                                   (int)sizeof(typename Config::Element), Config::stages, kRoles,
                                   Config::left_operand == LeftOperand::scratchpad);
  }

  // ---- rows

  template <int BM>
  TILE_FN Row<BM> row(float x) const {
    return make_row<BM, float>([&](int, int) { return x; });
  }

  // f(index of the row in the tile), an integer for each row.
  template <int BM, class F>
  TILE_FN IndexRow<BM> index_rows(F f) const {
    return make_row<BM, i32>([&](int m, int s) { return f(row_of<BM>(m, s)); });
  }

  template <int BM, class F, class... R>
  TILE_FN Row<BM> rows(F f, const SimtRow<S, BM, float>& first, const R&... more) const {
    return make_row<BM, float>([&](int m, int s) { return f(first.v[m][s], more.v[m][s]...); });
  }

  // Adds up the parts of each row's sum.
  template <int BM>
  TILE_FN void row_reduce(SimtRow<S, BM, float>& r, Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    exchange_rows(r, [](float a, float b) { return a + b; });
  }

  template <int BM, class View>
  TILE_FN void store_row(const View& view, i64 r0, const SimtRow<S, BM, float>& r,
                         Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    const int valid = valid_rows<BM>(view, r0);
    TILE_UNROLL
    for (int m = 0; m < S::template kAtoms<BM>; ++m) {
      TILE_UNROLL
      for (int s = 0; s < A::kRowSlots; ++s) {
        const int i = row_of<BM>(m, s);
        if (A::writes_row(t_.lane()) && i < valid) store_element(t_, view.row(r0 + i), r.v[m][s]);
      }
    }
  }

  // One value a row; rows outside the view get `outside`.
  template <int BM, class View>
  TILE_FN Row<BM> load_row(const View& view, i64 r0, float outside,
                           Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    const int valid = valid_rows<BM>(view, r0);
    return make_row<BM, float>([&](int m, int s) {
      const int i = row_of<BM>(m, s);
      return i < valid ? load_element(t_, view.row(r0 + i)) : outside;
    });
  }

  // ---- tiles

  template <int BM, int N>
  TILE_FN void fill(SimtAccum<S, BM, N>& a, float x) const {
    each(a, [&](float& d, int, int, int) { d = x; });
  }

  // Rows r0 .. of the view; rows outside it are 0.
  template <class T, int BM, int K, class View>
  TILE_FN void load(SimtOperand<S, T, BM, K>& q, const View& view, i64 r0,
                    Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    const LeftRows<View, BM> rows(view, r0);
    TILE_UNROLL
    for (int m = 0; m < S::template kAtoms<BM>; ++m) {
      TILE_UNROLL
      for (int k = 0; k < q.kTiles; ++k)
        load_left<K>(q.d[m][k], rows, m, k);
    }
  }

  // The same, into scratchpad that nothing else uses.
  template <class T, int BM, int K, class View>
  TILE_FN void load(ParkedOperand<S, T, BM, K>& q, const View& view, i64 r0,
                    Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    const LeftRows<View, BM> rows(view, r0);
    TILE_UNROLL
    for (int m = 0; m < S::template kAtoms<BM>; ++m) {
      TILE_ROLL
      for (int k = 0; k < q.kTiles; ++k) {
        u32 fragment[A::kLeft];
        load_left<K>(fragment, rows, m, k);
        q.put(t_, m, k, fragment);
      }
    }
    t_.warp_barrier();
  }

  // The same, into scratchpad that nothing else uses: it is there after the key loop's first wait.
  template <class T, int BM, int K, class View>
  TILE_FN void load(SharedOperand<S, T, BM, K>&, const View& view, i64 r0,
                    Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    using Rows = typename SharedOperand<S, T, BM, K>::Layout;
    ViewChunks<T, Rows, Along::rows, kOwnThreads, View>(view, view.rows, 0, K).copy(t_, 0, r0);
    t_.copy_commit();
  }

  // o += w * (rows r0 .. of the view), row by row.
  template <int BM, int N, class View>
  TILE_FN void add_rows(SimtAccum<S, BM, N>& o, const View& view, i64 r0,
                        const SimtRow<S, BM, float>& w, Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    const int valid = valid_rows<BM>(view, r0);
    each(o, [&](float& d, int m, int n, int e) {
      const int s = A::slot(e), column = n * footprint::kAtom + A::column(t_.lane(), e);
      const int i = row_of<BM>(m, s);
      if (i < valid && column < N)
        d = xfma(load_element(t_, view.row(r0 + i) + column), w.v[m][s], d);
    });
  }

  // Rows r0 .. of the view become o times `factor`, row by row.
  template <int BM, int N, class View>
  TILE_FN void store(const View& view, i64 r0, const SimtAccum<S, BM, N>& o,
                     const SimtRow<S, BM, float>& factor, Where where = Where::here()) const {
    using T = typename View::Element;
    const WhereScope scope(t_, where);
    // Neighbouring columns of 16 bits leave together.
    constexpr bool kPairs = sizeof(T) == 2 && A::column(0, 1) == A::column(0, 0) + 1 && N % 2 == 0;
    const bool aligned = rows_aligned(view, 4);
    const int valid = valid_rows<BM>(view, r0);
    const auto& sums = settled(o);
    each(sums, [&](const float& d, int m, int n, int e) {
      const int s = A::slot(e), column = n * footprint::kAtom + A::column(t_.lane(), e);
      const int i = row_of<BM>(m, s);
      if (i >= valid || column >= N) return;
      const float x = d * factor.v[m][s];
      T* const to = view.row(r0 + i) + column;
      if constexpr (kPairs) {
        if (aligned) {
          if (e % 2 == 0) t_.stg(to, t_.template pack<T>(x, (&d)[1] * factor.v[m][s]));
          return;
        }
      }
      store_element(t_, to, x);
    });
  }

  // ---- products

  // s = q k^T
  template <class T, int BM, int N, class Left, class Layout>
  TILE_FN void mma_abt(SimtAccum<S, BM, N>& s, const Left& q, const StagedRef<T, Layout>& k,
                       Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    fill(s, 0.f);
    auto step = [&](int depth) {
      typename A::Left left[S::template kAtoms<BM>];
      expand(left, q, depth);
      TILE_UNROLL
      for (int n = 0; n < s.kTiles; ++n)
        A::template step_rows<T, Layout>(t_, s.d, left, k.at, n * footprint::kAtom,
                                         depth * footprint::kAtom);
    };
    if constexpr (Left::kParked && A::kPieceDepth < footprint::kAtom) {
      // As in contractions: compilers do not keep the operands of so many multiply-adds.
      TILE_ROLL
      for (int depth = 0; depth < q.kTiles; ++depth)
        step(depth);
    } else {
      TILE_UNROLL
      for (int depth = 0; depth < q.kTiles; ++depth)
        step(depth);
    }
  }

  template <class T, int BM, int N, int K, class Layout>
  TILE_FN void mma_abt(SimtAccum<S, BM, N>& s, const SharedOperand<S, T, BM, K>&,
                       const StagedRef<T, Layout>& k, Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    using Left = typename SharedOperand<S, T, BM, K>::Layout;
    A::template begin_rows<T, Left, Layout>(t_, s.d, 0, S::template group_row<BM>(t_.warp(), 0),
                                            k.at);
  }

  // o += p v
  template <class T, int BM, int N, int K, class Layout>
  TILE_FN void mma_acc(SimtAccum<S, BM, N>& o, const SimtOperand<S, T, BM, K>& p,
                       const StagedRef<T, Layout>& v, Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    if constexpr (kGroups) {
      A::template begin_columns<T, Layout>(t_, o.d, p.d, v.at);
    } else {
      TILE_UNROLL
      for (int depth = 0; depth < p.kTiles; ++depth) {
        typename A::Left left[S::template kAtoms<BM>];
        expand(left, p, depth);
        TILE_UNROLL
        for (int n = 0; n < o.kTiles; ++n)
          A::template step_columns<T, Layout>(t_, o.d, left, v.at, depth * footprint::kAtom,
                                              n * footprint::kAtom);
      }
    }
  }

  template <int BM, int N>
  TILE_FN void scale_rows(SimtAccum<S, BM, N>& o, const SimtRow<S, BM, float>& scale) const {
    if constexpr (kGroups) A::settle(t_, o.d);
    each(o, [&](float& d, int m, int, int e) { d *= scale.v[m][A::slot(e)]; });
  }

  // The values become the left operand of the next product.
  template <class T, int BM, int N>
  TILE_FN SimtOperand<S, T, BM, N> to_operand(const SimtAccum<S, BM, N>& s,
                                              Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    SimtOperand<S, T, BM, N> p;
    TILE_UNROLL
    for (int m = 0; m < S::template kAtoms<BM>; ++m) {
      TILE_UNROLL
      for (int n = 0; n < s.kTiles; ++n)
        A::template to_left<T>(t_, p.d[m][n], s.d[m][n]);
    }
    return p;
  }

  // ---- maps

  // x = f(x, row index, column index, value of each row...)
  template <int BM, int N, class F, class... R>
  TILE_FN void map(SimtAccum<S, BM, N>& s, F f, const R&... row) const {
    each(s, [&](float& d, int m, int n, int e) {
      const int slot = A::slot(e);
      d = f(d, row_of<BM>(m, slot), n * footprint::kAtom + A::column(t_.lane(), e),
            row.v[m][slot]...);
    });
  }

  // m = max(m, greatest value of the row)
  template <int BM, int N>
  TILE_FN void row_max(SimtRow<S, BM, float>& r, const SimtAccum<S, BM, N>& s,
                       Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    each(s, [&](const float& d, int m, int, int e) {
      float& greatest = r.v[m][A::slot(e)];
      greatest = xmax(d, greatest);
    });
    exchange_rows(r, [](float a, float b) { return xmax(a, b); });
  }

  // x = f(x, r); l += partial sums of the rows.
  template <class T, int BM, int N, class F>
  TILE_FN void map_rows(SimtAccum<S, BM, N>& s, const SimtRow<S, BM, float>& r,
                        SimtRow<S, BM, float>& l, F f) const {
    each(s, [&](float& d, int m, int, int e) {
      const int slot = A::slot(e);
      d = f(d, r.v[m][slot]);
      l.v[m][slot] += d;
    });
  }

  // ---- the key loop (tile/simt/stream.h)

  // Chunks of keys and values as they lie in scratchpad.
  template <int BN, class T, int D>
  using KeyTile = typename A::template RightRows<T, BN, footprint::up_to(D, 16), Config::swizzle>;
  template <int BN, class T, int DV>
  using ValueTile =
      typename A::template RightColumns<T, BN, footprint::up_to(DV, 16), Config::swizzle>;
  // Slots behind the left operand, where a producer fills them.
  template <int BM, int BN, class T, int D, int DV>
  using KeyRing = RoleRing<KeyTile<BN, T, D>, ValueTile<BN, T, DV>, Config::stages,
                           footprint::left_bytes(Config::fragment, BM, D, (int)sizeof(T))>;

  // For every chunk of BN rows of k and v from `lo` to `hi`: score(s, k); soften(first row, s,
  // alpha); p = turn(s, alpha); accumulate(p, v). Rows past `hi` that share a chunk with rows
  // before it are zeros or belong to the views; scores of such rows are the caller's to mask.
  template <int BM, int BN, class T, int D, int DV, class KView, class VView, class Score,
            class Soften, class Turn, class Accumulate>
  TILE_FN void stream(i64 lo, i64 hi, const SimtRow<S, BM, i32>& last, const KView& k,
                      const VView& v, Score score, Soften soften, Turn turn, Accumulate accumulate,
                      Where where = Where::here()) const;

 private:
  // The same where a producer fills the slots, with boxes or not: the scores of a chunk are
  // multiplied beside the values of the one before.
  template <int BM, int BN, class T, int D, int DV, class Score, class Soften, class Turn,
            class Accumulate>
  TILE_FN void consume(i64 lo, i64 hi, bool boxes, Score score, Soften soften, Turn turn,
                       Accumulate accumulate) const;

  // Sums of products that have been waited for, to be read.
  template <int BM, int N>
  TILE_FN decltype(auto) settled(const SimtAccum<S, BM, N>& o) const {
    if constexpr (kGroups) {
      SimtAccum<S, BM, N> copy = o;
      A::settle(t_, copy.d);
      return copy;
    } else {
      return (o);
    }
  }

  // Rows of the tile from r0 on that the view has.
  template <int BM, class View>
  static TILE_FN int valid_rows(const View& view, i64 r0) {
    return (int)lmin(BM, view.rows - r0);
  }

  template <int BM>
  TILE_FN int row_of(int m, int s) const {
    return S::template first_row<BM>(t_.warp(), m) + A::row(t_.lane(), s);
  }

  // f(atom of rows, slot) for every value a lane holds.
  template <int BM, class V, class F>
  TILE_FN SimtRow<S, BM, V> make_row(F f) const {
    SimtRow<S, BM, V> r;
    TILE_UNROLL
    for (int m = 0; m < S::template kAtoms<BM>; ++m) {
      TILE_UNROLL
      for (int s = 0; s < A::kRowSlots; ++s)
        r.v[m][s] = f(m, s);
    }
    return r;
  }

  // f(value, atom of rows, atom of columns, element) for every sum a lane holds.
  template <class Tile, class F>
  TILE_FN void each(Tile& tile, F f) const {
    constexpr int kAtoms = sizeof(tile.d) / sizeof(tile.d[0]);
    TILE_UNROLL
    for (int m = 0; m < kAtoms; ++m) {
      TILE_UNROLL
      for (int n = 0; n < tile.kTiles; ++n) {
        TILE_UNROLL
        for (int e = 0; e < A::kSums; ++e)
          f(tile.d[m][n][e], m, n, e);
      }
    }
  }

  template <int BM, class F>
  TILE_FN void exchange_rows(SimtRow<S, BM, float>& r, F f) const {
    TILE_UNROLL
    for (int m = 0; m < S::template kAtoms<BM>; ++m) {
      TILE_UNROLL
      for (int s = 0; s < A::kRowSlots; ++s) {
        TILE_UNROLL
        for (int mask = A::kExchangeFrom; mask <= A::kExchangeTo; mask *= 2)
          r.v[m][s] = f(r.v[m][s], t_.shuffle_xor(r.v[m][s], mask));
      }
    }
  }

  // Rows of a left operand in memory.
  template <class View, int BM>
  struct LeftRows {
    const View& view;
    i64 r0;
    int valid;
    bool aligned;
    TILE_FN LeftRows(const View& v, i64 r)
        : view(v), r0(r), valid(valid_rows<BM>(v, r)), aligned(rows_aligned(v, 4 * A::kLeftRun)) {}
  };

  // The fragment of atom m of the rows and atom k of their K columns; what is outside is 0.
  template <int K, class View, int BM>
  TILE_FN void load_left(u32 (&fragment)[A::kLeft], const LeftRows<View, BM>& rows, int m,
                         int k) const {
    constexpr int kWords = A::kLeftRun;
    TILE_UNROLL
    for (int r = 0; r < A::kLeft; r += kWords) {
      const int i = S::template first_row<BM>(t_.warp(), m) + A::left_row(t_.lane(), r);
      const int depth = k * footprint::kAtom + A::left_depth(t_.lane(), r);
      const int count = i < rows.valid ? imax(0, imin(A::kPerRegister * kWords, K - depth)) : 0;
      Words<kWords> w = {};
      if (count > 0) {
        w = load_words<kWords>(t_, rows.view.row(rows.r0 + i) + depth, count, rows.aligned);
      }
      TILE_UNROLL
      for (int j = 0; j < kWords; ++j)
        fragment[r + j] = w.x[j];
    }
  }

  template <int MT, class T, int BM, int K>
  TILE_FN void expand(typename A::Left (&left)[MT], const SimtOperand<S, T, BM, K>& operand,
                      int depth) const {
    TILE_UNROLL
    for (int m = 0; m < MT; ++m)
      left[m] = A::expand(t_, operand.d[m][depth]);
  }
  template <int MT, class T, int BM, int K>
  TILE_FN void expand(typename A::Left (&left)[MT], const ParkedOperand<S, T, BM, K>& operand,
                      int depth) const {
    TILE_UNROLL
    for (int m = 0; m < MT; ++m) {
      u32 fragment[A::kLeft];
      operand.get(t_, m, depth, fragment);
      left[m] = A::expand(t_, fragment);
    }
  }
};

}  // namespace tile

#include "tile/simt/stream.h"
