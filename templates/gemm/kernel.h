// Matrix product with an epilogue, for every z < batch:
//
//     d[z] = f(alpha a[z] b[z] + bias) + beta c[z]
//
//     a [batch, m, k], b [batch, k, n], c and d [batch, m, n], bias [m] or [n]
//
// with sums in f32 whatever the element type. A block owns block_m x block_n elements of one d and
// walks along k in chunks of block_k.
//
//     grid   x = blocks along the rows of d (or its columns), y = along the other axis, z = batch
//
// Members of the config: Element; a_down, b_down: whether k runs down the rows of a or b as they
// lie in memory, that is, whether m or n has unit stride; bias, activation; then, free to choose:
//
//     block_m, block_n, block_k
//     rows_first   whether x counts blocks along the rows of d: neighbours then share columns of b

#pragma once

#include "tile/activate.h"
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
struct BiasArgs : Args {
  Tensor<1> bias;
};
struct ResidualArgs : Args {
  Tensor<3> c;
};
struct BiasResidualArgs : Args {
  Tensor<1> bias;
  Tensor<3> c;
};

template <class ArgsType>
struct Multiply {
  static constexpr const char* name = "multiply";
  using Args = ArgsType;
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

  template <class Blk>
  static TILE_FN void run(Blk& blk, const Args& args) {
    using C = typename Blk::Config;
    using T = typename C::Element;
    constexpr int BM = C::block_m, BN = C::block_n, BK = C::block_k;
    const i64 m0 = blk.template id<C::rows_first ? 0 : 1>() * BM;
    const i64 n0 = blk.template id<C::rows_first ? 1 : 0>() * BN;
    const i64 z = blk.template id<2>();

    typename Blk::template Accum<BM, BN> acc;
    blk.zero(acc);
    blk.template stream_k<BM, BN, BK, T>(args.k, left(blk, args, z), m0, right(blk, args, z), n0,
                                         [&](auto&& at, auto&& bt) { blk.mma(acc, at, bt); });
    const float alpha = (float)args.alpha, beta = (float)args.beta;
    blk.store(
        blk.template view<T>(args.d, rows_along<1>(args.m, z, 0, 0)), m0, args.n, n0, acc,
        [&](auto x, auto bias, auto c) {
          const auto y = activate<C::activation>(xfma(x, alpha, bias));
          if constexpr (kResidual) {
            return xfma(c, beta, y);
          } else {
            return y;
          }
        },
        bias(blk, args), residual(blk, args, z));
  }

 private:
  static constexpr bool kBias = requires(const Args& a) { a.bias; };
  static constexpr bool kResidual = requires(const Args& a) { a.c; };

  template <class Blk>
  static TILE_FN auto left(Blk& blk, const Args& args, i64 z) {
    using T = const typename Blk::Config::Element;
    if constexpr (Blk::Config::a_down) {
      return k_down_rows(blk.template view<T>(args.a, rows_along<2>(args.k, z, 0, 0)), args.m);
    } else {
      return k_along_rows(blk.template view<T>(args.a, rows_along<1>(args.m, z, 0, 0)), args.k);
    }
  }
  template <class Blk>
  static TILE_FN auto right(Blk& blk, const Args& args, i64 z) {
    using T = const typename Blk::Config::Element;
    if constexpr (Blk::Config::b_down) {
      return k_down_rows(blk.template view<T>(args.b, rows_along<1>(args.k, z, 0, 0)), args.n);
    } else {
      return k_along_rows(blk.template view<T>(args.b, rows_along<2>(args.n, z, 0, 0)), args.k);
    }
  }
  template <class Blk>
  static TILE_FN auto bias(Blk& blk, const Args& args) {
    using C = typename Blk::Config;
    using T = const typename C::Element;
    if constexpr (!kBias) {
      return ForAll{0.f};
    } else if constexpr (C::bias == kRows) {
      return for_rows(blk.template view<T>(args.bias, rows_along<0>(args.m, 0)));
    } else {
      return for_columns(blk.template view<T>(args.bias, rows_along<0>(1, 0)));
    }
  }
  template <class Blk>
  static TILE_FN auto residual(Blk& blk, const Args& args, i64 z) {
    using T = const typename Blk::Config::Element;
    if constexpr (kResidual) {
      return for_elements(blk.template view<T>(args.c, rows_along<1>(args.m, z, 0, 0)));
    } else {
      return ForAll{0.f};
    }
  }
};

// Entries are known by the last part of their names.
namespace plain {
using Multiply = gemm::Multiply<Args>;
}
namespace with_bias {
using Multiply = gemm::Multiply<BiasArgs>;
}
namespace with_residual {
using Multiply = gemm::Multiply<ResidualArgs>;
}
namespace with_bias_and_residual {
using Multiply = gemm::Multiply<BiasResidualArgs>;
}

}  // namespace kiln::gemm
