// Attention forward: O = softmax(mask(scale Q K^T)) V, with the log-sum-exp of every row.
//
//     grid of Forward       x = blocks of rows, y = heads, z = batch
//     grid of ForwardPart   x = blocks of rows * key splits (split fastest), y, z the same
//     grid of Merge         as Forward's
//
// ForwardMapped and ForwardPartMapped are the same with tensor maps of k and v.
//
// A block owns `block_m` query rows of one head; or, with `pack_heads`, of all query heads that
// share one key head: row r is then token r / group of query head (first of the group) + r % group,
// and y counts heads of K. It walks its keys in chunks of `block_n` with the online softmax
//
//     m' = max(m, rowmax S)
//     a  = 2^((m - m') k)
//     P  = 2^(S k - m' k)
//     l  = a l + rowsum P
//     O  = a O + P V
//
// where k = scale log2 e, or log2 e when a softcap has already scaled S. At the end O / l, and the
// log-sum-exp ln 2 (m k + log2 l). Query i and key j meet if
//
//     i + off - window_left <= j <= i + off + window_right,   off = seq_kv - seq_q;
//
// a negative window is infinite, and `causal` means window_right = 0. A row that meets no key gives
// O = 0 and log-sum-exp = -inf.
//
// With `key_splits` > 1, every split writes its own O / l in f32 and log-sum-exp into `partial_o`
// and `partial_lse`, which Merge combines.

#pragma once

#include "tile/core.h"
#include "tile/view.h"

namespace kiln::attention_forward {

using namespace tile;

inline constexpr float kLog2e = 1.44269504088896341f;
inline constexpr float kLn2 = 0.69314718055994531f;

// `scale` 0 stands for 1 / sqrt(head_dim).
//
// Axes: q, o [batch, seq_q, heads_q, head_dim]; k, v [batch, seq_kv, heads_kv, head_dim];
// lse [batch, heads_q, seq_q]; partial_o [split, batch, seq_q, heads_q, head_dim];
// partial_lse [split, batch, heads_q, seq_q].
struct ForwardArgs {
  Tensor<4> q, k, v, o;
  Tensor<3> lse;  // may be absent
  i64 seq_q, seq_kv, heads_q, heads_kv;
  i64 window_left, window_right;
  double scale;
};
struct PartArgs {
  Tensor<4> q, k, v;
  Tensor<5> partial_o;
  Tensor<4> partial_lse;
  i64 seq_q, seq_kv, heads_q, heads_kv;
  i64 window_left, window_right;
  double scale;
};
struct MergeArgs {
  Tensor<5> partial_o;
  Tensor<4> partial_lse;
  Tensor<4> o;
  Tensor<3> lse;  // may be absent
  i64 seq_q, heads_q, heads_kv;
};

// The same, with k and v also as tensor maps.
template <class Args>
struct Mapped : Args {
  TensorMap k_map, v_map;
};

template <class Args>
TILE_FN const Tensor<4>& keys_of(const Args& a) {
  return a.k;
}
template <class Args>
TILE_FN MappedTensor<4> keys_of(const Mapped<Args>& a) {
  return {a.k, a.k_map};
}
template <class Args>
TILE_FN const Tensor<4>& values_of(const Args& a) {
  return a.v;
}
template <class Args>
TILE_FN MappedTensor<4> values_of(const Mapped<Args>& a) {
  return {a.v, a.v_map};
}

constexpr float inverse_root(int n) {
  double x = 1;
  for (int i = 0; i < 64; ++i)
    x = 0.5 * (x + n / x);
  return (float)(1 / x);
}

// The rows of one block column (y, z) of the grid, in whichever tensor they are asked for.
template <class Config>
struct Rows {
  i64 batch, head, group;  // head: the first query head
  i64 count;

  template <class Args>
  TILE_FN Rows(const Args& a, i64 y, i64 z)
      : batch(z),
        head(Config::pack_heads ? y * (a.heads_q / a.heads_kv) : y),
        group(Config::pack_heads ? a.heads_q / a.heads_kv : 1),
        count(a.seq_q * group) {}

  TILE_FN i64 token(i64 row) const {
    if constexpr (Config::pack_heads) return row / group;
    return row;
  }

  // Window over a tensor whose axes `Seq` and `Head` are meant, at the other coordinates `at`.
  template <int Seq, int Head, class... I>
  TILE_FN auto window(I... at) const {
    if constexpr (Config::pack_heads) {
      return rows_folded<Seq, Head>(count, group, at...);
    } else {
      return rows_along<Seq>(count, at...);
    }
  }
};

// One block: rows of tile `tile` against their keys, or part `part` of `parts` of them. Calls
// put(rows of the block, first row, O l, 1 / l, log-sum-exp).
template <class Blk, class Args, class Put>
TILE_FN void attend(Blk& blk, const Args& a, i64 tile, i64 part, int parts, Put put) {
  using C = typename Blk::Config;
  using T = typename C::Element;
  constexpr int BM = C::block_m, BN = C::block_n, D = C::head_dim;
  constexpr bool kSoftcap = C::softcap != 0;

  const Rows<C> block(a, blk.template id<1>(), blk.template id<2>());
  if constexpr (C::causal) tile = ceil_div(block.count, BM) - 1 - tile;  // longest first
  const i64 r0 = tile * BM;
  const i64 b = block.batch, h = block.head, kv_head = h / (a.heads_q / a.heads_kv);
  const auto q_view = blk.template view<const T>(a.q, block.template window<1, 2>(b, 0, h, 0));
  const auto key_rows = rows_along<1>(a.seq_kv, b, 0, kv_head, 0);
  const auto k_view = blk.template view<const T>(keys_of(a), key_rows);
  const auto v_view = blk.template view<const T>(values_of(a), key_rows);

  // Keys that a query of token i meets: first(i) .. last(i).
  const i64 offset = a.seq_kv - a.seq_q;
  const i64 right = C::causal ? 0 : a.window_right;
  auto first = [&](i64 i) { return a.window_left < 0 ? 0 : lmax(0, i + offset - a.window_left); };
  auto last = [&](i64 i) { return lmin(a.seq_kv - 1, right < 0 ? a.seq_kv : i + offset + right); };
  const i64 i_first = block.token(r0), i_last = block.token(lmin(r0 + BM, block.count) - 1);
  i64 lo = first(i_first), hi = last(i_last) + 1;
  if (parts > 1) {
    const i64 share = ceil_div(ceil_div(lmax(hi - lo, 0), BN), parts) * BN;
    lo += part * share;
    hi = lmin(hi, lo + share);
  }
  const auto row_first =
      blk.template index_rows<BM>([&](int r) { return (i32)first(block.token(r0 + r)); });
  const auto row_last =
      blk.template index_rows<BM>([&](int r) { return (i32)last(block.token(r0 + r)); });
  const i64 unmasked_from = first(i_last), unmasked_to = last(i_first);

  const float scale = a.scale > 0 ? (float)a.scale : inverse_root(D);
  const float k = kSoftcap ? kLog2e : scale * kLog2e;

  typename Blk::template Operand<T, BM, D> q;
  blk.load(q, q_view, r0);
  typename Blk::template Accum<BM, D> o;
  blk.fill(o, 0.f);
  auto m = blk.template row<BM>(-kInf);
  auto l = blk.template row<BM>(0.f);

  blk.template stream<BM, BN, T, D, D>(
      lo, hi, row_last, k_view, v_view,
      /* score */ [&](auto& s, auto&& keys) { blk.mma_abt(s, q, keys); },
      /* soften */
      [&](i64 n0, auto& s, auto& alpha) {
        if constexpr (kSoftcap) {
          constexpr float kCap = C::softcap;
          blk.map(s, [&](auto x, auto, auto) { return kCap * xtanh(x * (scale / kCap)); });
        }
        if (n0 < unmasked_from || n0 + BN - 1 > unmasked_to) {
          const i32 n = (i32)n0;
          blk.map(
              s,
              [&](auto x, auto, auto j, auto from, auto to) {
                return select(j + n <= to, select(from <= j + n, x, -kInf), -kInf);
              },
              row_first, row_last);
        }
        auto greatest = m;
        blk.row_max(greatest, s);
        const auto reference =
            blk.rows([&](auto x) { return select(x == -kInf, 0.f, x * k); }, greatest);
        alpha = blk.rows([&](auto x, auto r) { return xexp2(x * k - r); }, m, reference);
        l = blk.rows([&](auto x, auto y) { return x * y; }, l, alpha);
        m = greatest;
        blk.template map_rows<T>(s, reference, l,
                                 [&](auto x, auto r) { return xexp2_below(xfma(x, k, -r)); });
      },
      /* turn */
      [&](auto& s, auto& alpha) -> decltype(auto) {
        blk.scale_rows(o, alpha);
        return blk.template to_operand<T>(s);
      },
      /* accumulate */ [&](auto&& p, auto&& values) { blk.mma_acc(o, p, values); });

  blk.row_reduce(l);
  const auto inverse = blk.rows([&](auto x) { return select(x == 0.f, 0.f, 1.f / x); }, l);
  const auto lse = blk.rows(
      [&](auto x, auto y) { return select(y == 0.f, -kInf, x * k * kLn2 + xlog(y)); }, m, l);
  put(block, r0, o, inverse, lse);
}

struct Forward {
  static constexpr const char* name = "forward";
  using Work = Tiles;
  using Args = ForwardArgs;

  template <class Blk>
  static constexpr i64 stack_bytes() {
    using C = typename Blk::Config;
    return Blk::stream_bytes(C::block_m, C::block_n, C::head_dim);
  }

  template <class Blk, class A>
  static TILE_FN void run(Blk& blk, const A& a) {
    using T = typename Blk::Config::Element;
    attend(blk, a, blk.template id<0>(), 0, 1,
           [&](auto& block, i64 r0, auto& o, auto& inverse, auto& lse) {
             const i64 b = block.batch, h = block.head;
             blk.store(blk.template view<T>(a.o, block.template window<1, 2>(b, 0, h, 0)), r0, o,
                       inverse);
             if (!a.lse.data) return;
             blk.store_row(blk.template view<float>(a.lse, block.template window<2, 1>(b, h, 0)),
                           r0, lse);
           });
  }
};

struct ForwardPart {
  static constexpr const char* name = "forward_part";
  using Work = Tiles;
  using Args = PartArgs;

  template <class Blk>
  static constexpr i64 stack_bytes() {
    return Forward::stack_bytes<Blk>();
  }

  template <class Blk, class A>
  static TILE_FN void run(Blk& blk, const A& a) {
    constexpr int kParts = Blk::Config::key_splits;
    const i64 part = blk.template id<0>() % kParts;
    attend(blk, a, blk.template id<0>() / kParts, part, kParts,
           [&](auto& block, i64 r0, auto& o, auto& inverse, auto& lse) {
             const i64 b = block.batch, h = block.head;
             blk.store(blk.template view<float>(a.partial_o,
                                                block.template window<2, 3>(part, b, 0, h, 0)),
                       r0, o, inverse);
             blk.store_row(blk.template view<float>(a.partial_lse,
                                                    block.template window<3, 2>(part, b, h, 0)),
                           r0, lse);
           });
  }
};

struct ForwardMapped : Forward {
  static constexpr const char* name = "forward_mapped";
  using Args = Mapped<ForwardArgs>;
};
struct ForwardPartMapped : ForwardPart {
  static constexpr const char* name = "forward_part_mapped";
  using Args = Mapped<PartArgs>;
};

// O = sum over splits of e^(lse_p - lse) O_p, with lse = ln sum of e^(lse_p); a split without a
// visible key has lse_p = -inf and weighs nothing.
struct Merge {
  static constexpr const char* name = "merge";
  using Work = Tiles;
  using Args = MergeArgs;

  template <class Blk>
  static TILE_FN void run(Blk& blk, const Args& a) {
    using C = typename Blk::Config;
    using T = typename C::Element;
    constexpr int BM = C::block_m, D = C::head_dim;

    const Rows<C> block(a, blk.template id<1>(), blk.template id<2>());
    const i64 r0 = blk.template id<0>() * BM, b = block.batch, h = block.head;
    auto partial_lse = [&](i64 split) {
      return blk.template load_row<BM>(
          blk.template view<const float>(a.partial_lse,
                                         block.template window<3, 2>(split, b, h, 0)),
          r0, -kInf);
    };

    auto m = blk.template row<BM>(-kInf);
    for (i64 split = 0; split < C::key_splits; ++split) {
      m = blk.rows([&](auto x, auto y) { return xmax(x, y); }, m, partial_lse(split));
    }
    const auto reference = blk.rows([&](auto x) { return select(x == -kInf, 0.f, x); }, m);

    typename Blk::template Accum<BM, D> o;
    blk.fill(o, 0.f);
    auto l = blk.template row<BM>(0.f);
    for (i64 split = 0; split < C::key_splits; ++split) {
      const auto weight = blk.rows([&](auto x, auto r) { return xexp2((x - r) * kLog2e); },
                                   partial_lse(split), reference);
      l = blk.rows([&](auto x, auto w) { return x + w; }, l, weight);
      blk.add_rows(o,
                   blk.template view<const float>(a.partial_o,
                                                  block.template window<2, 3>(split, b, 0, h, 0)),
                   r0, weight);
    }

    const auto inverse = blk.rows([&](auto x) { return select(x == 0.f, 0.f, 1.f / x); }, l);
    blk.store(blk.template view<T>(a.o, block.template window<1, 2>(b, 0, h, 0)), r0, o, inverse);
    if (a.lse.data) {
      blk.store_row(
          blk.template view<float>(a.lse, block.template window<2, 1>(b, h, 0)), r0,
          blk.rows([&](auto x, auto y) { return select(y == 0.f, -kInf, x + xlog(y)); }, m, l));
    }
  }
};

}  // namespace kiln::attention_forward
