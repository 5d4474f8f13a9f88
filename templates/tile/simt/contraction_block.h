// The block of the simt lowering for contractions over a long k: chunks of both operands pass
// through scratchpad, sums stay in registers.
//
// Warps share the tile as a grid of warps / column_warps times column_warps: each owns neighbouring
// rows and neighbouring columns. What operands have beyond their ends is 0, so that no product
// needs to know where they end.
//
// Where products are of warpgroups (tile/simt/wgmma_atom.h), four warps own 64 neighbouring rows at
// a time, and all columns. Both operands are read straight from scratchpad.
//
// Config members read here: fragment, warps, column_warps, stages, swizzle, chiplets
// (tile/schedule.h).

#pragma once

#include "tile/contraction.h"
#include "tile/simt/atom.h"
#include "tile/simt/chunks.h"
#include "tile/simt/grid_block.h"
#include "tile/simt/ring.h"
#include "tile/simt/runs.h"
#include "tile/simt/tiles.h"
#include "tile/view.h"

namespace tile {

// An index, and where in the kernel's source it was handed over.
struct IndexAt {
  i64 value;
  Where where;
  // NOLINTNEXTLINE(google-explicit-constructor): it stands for the index.
  TILE_FN IndexAt(i64 index, Where at = Where::here()) : value(index), where(at) {}
};

template <class ConfigType>
class ContractionBlock : public GridBlock {
 public:
  using Config = ConfigType;
  using A = Atom<Config::fragment, Target::kLanes>;
  static_assert(A::kLanes == Target::kLanes, "the fragment is of another warp size");
  static constexpr int kThreads = footprint::threads(Config::warps, Target::kLanes);
  static constexpr int kColumnWarps = Config::column_warps;
  static constexpr int kRowWarps = Config::warps / kColumnWarps;
  using S = Spread<A, kRowWarps>;
  // Of the least tile that all warps share.
  static constexpr int kLeastRows = footprint::least_rows(Config::warps, kColumnWarps);
  static constexpr int kLeastColumns = footprint::least_columns(kColumnWarps);
  static constexpr bool kGroups = A::kGroupWarps > 1;
  static_assert(footprint::groups_fit_warps(Config::fragment, Config::warps, kColumnWarps));

  template <int BM, int BN>
  struct Accum {
    static_assert(footprint::tile_fits_warps(BM, BN, Config::warps, kColumnWarps),
                  "a tile's rows and columns must be multiples of 16 times the warps along them");
    static constexpr int kRows = S::template kAtoms<BM>;  // atoms of a warp
    static constexpr int kColumns = BN / footprint::kAtom / kColumnWarps;
    float d[kRows][kColumns][A::kSums];
  };
  // A chunk of k of an operand, at `at` in scratchpad; k runs down its rows, or along.
  template <class T, class Layout, bool kDown, int BK>
  struct Chunk {
    u32 at;
  };

  using GridBlock::GridBlock;

  template <int I>
  TILE_FN i64 id() const {
    return id_of_run<I, chiplets_of<Config>(), kThreads>();
  }

  static constexpr i64 contraction_stack_bytes(int, int, int) { return 0; }
  template <class T, bool kLeftDown, bool kRightDown>
  static constexpr u32 contraction_scratch_bytes(int block_m, int block_n, int block_k) {
    return footprint::contraction_bytes(Config::fragment, kLeftDown, kRightDown, block_m, block_n,
                                        block_k, (int)sizeof(T), Config::stages);
  }

  template <int BM, int BN>
  TILE_FN void zero(Accum<BM, BN>& acc) const {
    using Sums = Accum<BM, BN>;
    TILE_UNROLL
    for (int m = 0; m < Sums::kRows; ++m) {
      TILE_UNROLL
      for (int n = 0; n < Sums::kColumns; ++n) {
        TILE_UNROLL
        for (int e = 0; e < A::kSums; ++e)
          acc.d[m][n][e] = 0.f;
      }
    }
  }

  // body(a, b) for every chunk of BK of k from lo to hi: a holds rows m0 .. m0 + BM - 1 of the left
  // operand, b columns n0 .. n0 + BN - 1 of the right one, to be multiplied by mma().
  template <int BM, int BN, int BK, class T, class Left, class Right, class F>
  TILE_FN void stream_k(i64 lo, i64 hi, const Left& a, i64 m0, const Right& b, i64 n0, F body,
                        Where where = Where::here()) const {
    static_assert(BK % footprint::kAtom == 0, "block_k must be a multiple of 16");
    static_assert(footprint::fragment_suits(Config::fragment, (int)sizeof(T)),
                  "f32 takes the fma fragment, 16-bit types take a matrix instruction");
    static_assert(footprint::swizzle_possible(Config::fragment, Config::swizzle));
    constexpr bool kAsync = footprint::copies_async(Config::fragment, Target::kAsyncCopy);
    static_assert(footprint::stages_possible(Config::stages, kAsync));
    using LeftChunks = ChunksOf<T, BM, BK, Left>;
    using RightChunks = ChunksOf<T, BN, BK, Right>;
    using Pair = ChunkPair<LeftChunks, RightChunks>;

    const WhereScope scope(t_, where);
    const Pair chunks{LeftChunks(a.view, hi, m0, a.extent()),
                      RightChunks(b.view, hi, n0, b.extent())};
    const auto use = [&](i64, u32 at) {
      body(Chunk<T, typename LeftChunks::Layout, Left::kDown, BK>{at},
           Chunk<T, typename RightChunks::Layout, Right::kDown, BK>{at + Pair::kSecond});
    };
    pass_chunks<Config::stages, kAsync, kGroups>(t_, lo, hi, BK, chunks, use);
  }

  // acc += a b
  template <int BM, int BN, class T, class LeftLayout, bool kLeftDown, class RightLayout,
            bool kRightDown, int BK>
  TILE_FN void mma(Accum<BM, BN>& acc, const Chunk<T, LeftLayout, kLeftDown, BK>& a,
                   const Chunk<T, RightLayout, kRightDown, BK>& b,
                   Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    if constexpr (kGroups) {
      A::template begin<T, typename A::template InScratchpad<LeftLayout, kLeftDown>,
                        typename A::template InScratchpad<RightLayout, kRightDown>, /*kAdd=*/true>(
          t_, acc.d, a.at, S::template group_row<BM>(row_warp(), 0), b.at);
      // Before the next chunk: with sums in flight around the loop NVRTC 13.5 waits behind every
      // single product.
      A::template wait<0>(t_);
    } else if constexpr (A::kPieceDepth < footprint::kAtom) {
      // Multiply-adds of more than a piece are more than compilers keep in registers at once.
      TILE_ROLL
      for (int k = 0; k < BK; k += A::kPieceDepth)
        multiply_piece(acc, a, b, k);
    } else {
      TILE_UNROLL
      for (int k = 0; k < BK; k += A::kPieceDepth)
        multiply_piece(acc, a, b, k);
    }
  }

  // Element (i, j) of the view, i >= m0 and n0 <= j < n, becomes f(sum, input...) with the inputs'
  // values there.
  template <int BM, int BN, class View, class F, class... Inputs>
  TILE_FN void store(const View& view, const IndexAt& m0, i64 n, i64 n0, const Accum<BM, BN>& acc,
                     F f, const Inputs&... inputs) const {
    using T = typename View::Element;
    using Sums = Accum<BM, BN>;
    constexpr int kRun = run_length<T>(A::kNeighbours);
    const WhereScope scope(t_, m0.where);
    const bool aligned = rows_aligned(view, kRun * (int)sizeof(T));
    const i64 column0 = n0 + first_column<BN>();
    Accum<BM, BN> sums = acc;
    if constexpr (kGroups) A::settle(t_, sums.d);
    TILE_UNROLL
    for (int m = 0; m < Sums::kRows; ++m) {
      TILE_UNROLL
      for (int n_atom = 0; n_atom < Sums::kColumns; ++n_atom) {
        TILE_UNROLL
        for (int e = 0; e < A::kSums; e += kRun) {
          const i64 i =
              m0.value + S::template first_row<BM>(row_warp(), m) + A::row(t_.lane(), A::slot(e));
          const i64 j = column0 + n_atom * footprint::kAtom + A::column(t_.lane(), e);
          const int count = (int)lmin(kRun, n - j);
          if (i >= view.rows || count <= 0) continue;
          const Run<kRun> y =
              map_run<kRun>(&sums.d[m][n_atom][e], f, input_run<kRun>(t_, inputs, i, j, count)...);
          store_run(t_, view.at(view.row(i), j), y, count, aligned && count == kRun);
        }
      }
    }
  }

 private:
  // acc += a b over the piece of k from `k` on.
  template <int BM, int BN, class T, class LeftLayout, bool kLeftDown, class RightLayout,
            bool kRightDown, int BK>
  TILE_FN void multiply_piece(Accum<BM, BN>& acc, const Chunk<T, LeftLayout, kLeftDown, BK>& a,
                              const Chunk<T, RightLayout, kRightDown, BK>& b, int k) const {
    using Sums = Accum<BM, BN>;
    using Left = decltype(A::template left_rows<T, LeftLayout>(t_, 0, 0, 0));
    const int n0 = first_column<BN>();
    Left left[Sums::kRows];
    TILE_UNROLL
    for (int m = 0; m < Sums::kRows; ++m) {
      const int first = S::template first_row<BM>(row_warp(), m);
      if constexpr (kLeftDown) {
        left[m] = A::template left_columns<T, LeftLayout>(t_, a.at, k, first);
      } else {
        left[m] = A::template left_rows<T, LeftLayout>(t_, a.at, first, k);
      }
    }
    TILE_UNROLL
    for (int n = 0; n < Sums::kColumns; ++n) {
      const int first = n0 + n * footprint::kAtom;
      if constexpr (kRightDown) {
        A::template multiply<T>(t_, acc.d, n, left,
                                A::template right_columns<T, RightLayout>(t_, b.at, k, first));
      } else {
        A::template multiply<T>(t_, acc.d, n, left,
                                A::template right_rows<T, RightLayout>(t_, b.at, first, k));
      }
    }
  }

  // Chunks of an operand that has `Size` rows or columns in the tile.
  template <class T, int Size, int BK, class Operand, bool kDown = Operand::kDown>
  struct Cut {
    using Layout = typename A::template RightRows<T, Size, BK, Config::swizzle>;
    static constexpr Along kAlong = Along::columns;
  };
  template <class T, int Size, int BK, class Operand>
  struct Cut<T, Size, BK, Operand, true> {
    using Layout = typename A::template RightColumns<T, BK, Size, Config::swizzle>;
    static constexpr Along kAlong = Along::rows;
  };
  template <class T, int Size, int BK, class Operand>
  using ChunksOf = ViewChunks<T, typename Cut<T, Size, BK, Operand>::Layout,
                              Cut<T, Size, BK, Operand>::kAlong, kThreads, typename Operand::View>;

  // Of the warps along the rows, which one this is.
  TILE_FN int row_warp() const { return t_.warp() / kColumnWarps; }
  // Of the tile, this warp's.
  template <int BN>
  TILE_FN int first_column() const {
    return t_.warp() % kColumnWarps * (BN / kColumnWarps);
  }

  template <int N, class F, class... Runs>
  static TILE_FN Run<N> map_run(const float* sums, F f, const Runs&... runs) {
    Run<N> r;
    TILE_UNROLL
    for (int e = 0; e < N; ++e)
      r.x[e] = f(sums[e], runs.x[e]...);
    return r;
  }
};

}  // namespace tile
