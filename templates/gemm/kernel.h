// Matrix product with an epilogue, for every z < batch:
//
//     d[z] = f(alpha a[z] b[z] + bias) + beta c[z]
//
//     a [batch, m, k], b [batch, k, n], c and d [batch, m, n], bias [m] or [n]
//
// with sums in f32 whatever the element type. A block owns block_m x block_n elements of one d and
// walks along k in chunks of block_k.
//
//     grid of Multiply       x = blocks along the rows of d (or its columns), y = along the other
//                            axis, z = batch
//     grid of MultiplyPart   x = the same * parts of k (part fastest), y, z the same
//     grid of Merge          x = least blocks along the columns of d, y = along its rows, z = batch
//
// With `k_splits` > 1 every part of k has its sums written into `partial` in f32, and Merge adds
// them up, part by part in order, before it applies the epilogue.
//
// Members of the config: Element; a_down, b_down: whether k runs down the rows of a or b as they
// lie in memory, that is, whether m or n has unit stride; bias, activation; then, free to choose:
//
//     block_m, block_n, block_k, k_splits
//     rows_first   whether x counts blocks along the rows of d: neighbours then share columns of b
//     band         blocks along the other axis that are walked together (tile/bands.h)

#pragma once

#include "tile/activate.h"
#include "tile/bands.h"
#include "tile/contraction.h"
#include "tile/core.h"

namespace kiln::gemm {

using namespace tile;

// What the bias has a value for each of.
enum BiasOf { kRows, kColumns };

struct Args {
  Tensor<3> a, b, d;
  i64 m, n, k;
  double alpha, beta;
};
// Axes: partial [part, batch, m, n]
struct PartArgs {
  Tensor<3> a, b;
  Tensor<4> partial;
  i64 m, n, k;
};
struct MergeArgs {
  Tensor<4> partial;
  Tensor<3> d;
  i64 m, n;
  double alpha, beta;
};
template <class Base>
struct WithBias : Base {
  Tensor<1> bias;
};
template <class Base>
struct WithResidual : Base {
  Tensor<3> c;
};

// The end of block (m0, n0) of product z: d = f(alpha x + bias) + beta c, with x = sum_of(what
// `accumulated` holds, what `sums` has there).
template <class Blk, class Args>
struct Epilogue {
  using C = typename Blk::Config;
  using T = typename C::Element;
  static constexpr bool kBias = requires(const Args& a) { a.bias; };
  static constexpr bool kResidual = requires(const Args& a) { a.c; };

  template <int BM, int BN, class Sums, class SumOf>
  static TILE_FN void store(Blk& blk, const Args& args, i64 z, i64 m0, i64 n0,
                            const typename Blk::template Accum<BM, BN>& accumulated,
                            const Sums& sums, SumOf sum_of) {
    const float alpha = (float)args.alpha, beta = (float)args.beta;
    blk.store(
        blk.template view<T>(args.d, rows_along<1>(args.m, z, 0, 0)), m0, args.n, n0, accumulated,
        [&](auto x, auto sum, auto bias, auto c) {
          const auto y = activate<C::activation>(xfma(sum_of(x, sum), alpha, bias));
          if constexpr (kResidual) {
            return xfma(c, beta, y);
          } else {
            return y;
          }
        },
        sums, bias(blk, args), residual(blk, args, z));
  }

 private:
  static TILE_FN auto bias(Blk& blk, const Args& args) {
    if constexpr (!kBias) {
      return ForAll{0.f};
    } else if constexpr (C::bias == kRows) {
      return for_rows(blk.template view<const T>(args.bias, rows_along<0>(args.m, 0)));
    } else {
      return for_columns(blk.template view<const T>(args.bias, rows_along<0>(1, 0)));
    }
  }
  static TILE_FN auto residual(Blk& blk, const Args& args, i64 z) {
    if constexpr (kResidual) {
      return for_elements(blk.template view<const T>(args.c, rows_along<1>(args.m, z, 0, 0)));
    } else {
      return ForAll{0.f};
    }
  }
};

// acc += rows m0 .. of a[z] times columns n0 .. of b[z], over k from lo to hi.
template <class Blk, class Args, class Accum>
TILE_FN void accumulate(Blk& blk, const Args& args, i64 z, i64 m0, i64 n0, i64 lo, i64 hi,
                        Accum& acc) {
  using C = typename Blk::Config;
  using T = typename C::Element;
  const auto left = [&] {
    if constexpr (C::a_down) {
      return k_down_rows(blk.template view<const T>(args.a, rows_along<2>(args.k, z, 0, 0)),
                         args.m);
    } else {
      return k_along_rows(blk.template view<const T>(args.a, rows_along<1>(args.m, z, 0, 0)),
                          args.k);
    }
  };
  const auto right = [&] {
    if constexpr (C::b_down) {
      return k_down_rows(blk.template view<const T>(args.b, rows_along<1>(args.k, z, 0, 0)),
                         args.n);
    } else {
      return k_along_rows(blk.template view<const T>(args.b, rows_along<2>(args.n, z, 0, 0)),
                          args.k);
    }
  };
  blk.template stream_k<C::block_m, C::block_n, C::block_k, T>(
      lo, hi, left(), m0, right(), n0, [&](auto&& at, auto&& bt) { blk.mma(acc, at, bt); });
}

// Scratch of a block that runs along k.
struct Contraction {
  using Work = Tiles;

  template <class Blk>
  static constexpr i64 stack_bytes() {
    using C = typename Blk::Config;
    return Blk::contraction_stack_bytes(C::block_m, C::block_n, C::block_k);
  }
  template <class Blk>
  static constexpr u32 scratch_bytes() {
    using C = typename Blk::Config;
    return Blk::template contraction_scratch_bytes<typename C::Element, C::a_down, C::b_down>(
        C::block_m, C::block_n, C::block_k);
  }
};

template <class ArgsType>
struct Multiply : Contraction {
  static constexpr const char* name = "multiply";
  using Args = ArgsType;

  template <class Blk>
  static TILE_FN void run(Blk& blk, const Args& args) {
    using C = typename Blk::Config;
    constexpr int BM = C::block_m, BN = C::block_n;
    GridPlace at{blk.template id<0>(), blk.template id<1>()};
    if constexpr (C::band > 1) {
      const i64 rows = ceil_div(args.m, BM), columns = ceil_div(args.n, BN);
      const i64 firsts = C::rows_first ? rows : columns, seconds = C::rows_first ? columns : rows;
      at = place_in_bands(at.first + at.second * firsts, firsts, seconds, C::band);
    }
    const i64 m0 = (C::rows_first ? at.first : at.second) * BM;
    const i64 n0 = (C::rows_first ? at.second : at.first) * BN;
    const i64 z = blk.template id<2>();

    typename Blk::template Accum<BM, BN> acc;
    blk.zero(acc);
    accumulate(blk, args, z, m0, n0, 0, args.k, acc);
    Epilogue<Blk, Args>::template store<BM, BN>(blk, args, z, m0, n0, acc, ForAll{0.f},
                                                [](auto x, auto) { return x; });
  }
};

struct MultiplyPart : Contraction {
  static constexpr const char* name = "multiply_part";
  using Args = PartArgs;

  template <class Blk>
  static TILE_FN void run(Blk& blk, const Args& args) {
    using C = typename Blk::Config;
    constexpr int BM = C::block_m, BN = C::block_n, BK = C::block_k, kParts = C::k_splits;
    const i64 first = blk.template id<0>() / kParts, second = blk.template id<1>();
    const i64 part = blk.template id<0>() % kParts, z = blk.template id<2>();
    const i64 m0 = (C::rows_first ? first : second) * BM;
    const i64 n0 = (C::rows_first ? second : first) * BN;
    const i64 share = ceil_div(ceil_div(args.k, BK), kParts) * BK, lo = part * share;

    typename Blk::template Accum<BM, BN> acc;
    blk.zero(acc);
    accumulate(blk, args, z, m0, n0, lo, lmin(args.k, lo + share), acc);
    blk.store(blk.template view<float>(args.partial, rows_along<2>(args.m, part, z, 0, 0)), m0,
              args.n, n0, acc, [](auto x) { return x; });
  }
};

template <class ArgsType>
struct Merge {
  static constexpr const char* name = "merge";
  using Args = ArgsType;
  using Work = Tiles;

  template <class Blk>
  static TILE_FN void run(Blk& blk, const Args& args) {
    constexpr int BM = Blk::kLeastRows, BN = Blk::kLeastColumns;
    const i64 m0 = blk.template id<1>() * BM, n0 = blk.template id<0>() * BN;
    const i64 z = blk.template id<2>();
    const auto first =
        blk.template view<const float>(args.partial, rows_along<2>(args.m, 0, z, 0, 0));
    typename Blk::template Accum<BM, BN> none;
    blk.zero(none);
    Epilogue<Blk, Args>::template store<BM, BN>(
        blk, args, z, m0, n0, none, for_sums<Blk::Config::k_splits>(first, args.partial.stride[0]),
        [](auto, auto sum) { return sum; });
  }
};

// Entries are known by the last part of their names.
namespace plain {
using Multiply = gemm::Multiply<Args>;
using Merge = gemm::Merge<MergeArgs>;
}  // namespace plain
namespace with_bias {
using Multiply = gemm::Multiply<WithBias<Args>>;
using Merge = gemm::Merge<WithBias<MergeArgs>>;
}  // namespace with_bias
namespace with_residual {
using Multiply = gemm::Multiply<WithResidual<Args>>;
using Merge = gemm::Merge<WithResidual<MergeArgs>>;
}  // namespace with_residual
namespace with_bias_and_residual {
using Multiply = gemm::Multiply<WithResidual<WithBias<Args>>>;
using Merge = gemm::Merge<WithResidual<WithBias<MergeArgs>>>;
}  // namespace with_bias_and_residual

}  // namespace kiln::gemm
