// The block of the wide lowering whose tiles have their columns in lanes: for tiles of few rows.
//
// Every row of a right operand is read once, from end to end, and used for all rows of the tile;
// values of a row are scalars. Right operands are never staged. Contractions along a long k are in
// few_rows.h.
//
// bf16 comes as even and odd columns (row_steps.h): queries and accumulators are kept in that
// order.
//
// Config members read here: prefetch.

#pragma once

#include "tile/wide/few_rows.h"
#include "tile/wide/multiplicand.h"
#include "tile/wide/row_steps.h"

namespace tile {

template <class Config>
class ColumnsBlock : public FewRows<Config> {
  using Base = FewRows<Config>;

 public:
  template <int BM>
  using Row = RowValues<float, BM>;
  template <int BM>
  using IndexRow = RowValues<i32, BM>;
  using Base::Base;
  using Base::store;

  template <int BM, int N>
  struct Accum {
    static constexpr int kStride = footprint::round_up(N, kLanes);
    alignas(64) float d[BM][kStride];
    Row<BM> scale;  // owed to the values if `scaled`; the next product or store pays it
    bool scaled = false;
    bool even_odd = false;  // order of the columns within two vectors
    int columns = N;        // how many are in use
  };
  template <class T, int BM, int K>
  struct Operand {
    static constexpr int kRowVectors = footprint::round_up(K, kLanes) / kLanes;
    alignas(64) float d[BM][kRowVectors * kLanes];
  };
  template <class T, int BM, int K>
  struct OperandInPlace {
    const float* values;
    int stride;
    int depth;
  };
  // A chunk of a right operand: rows first .. first + count - 1 of the view. What is read after it
  // starts at row `next_first` of `next`.
  template <class View, class Next>
  struct ChunkRef {
    const View* view;
    i64 first;
    int count;
    const Next* next;
    i64 next_first;

    // Fetches the row that will be read kRowsAhead rows after row j of the chunk, in this or the
    // next.
    template <int N>
    TILE_FN void fetch_ahead(int j) const {
      if constexpr (Config::prefetch) {
        const int ahead = j + kRowsAhead;
        const auto* p = ahead < count ? view->row(first + ahead)
                                      : next->row(lmin(next_first + ahead - count, next->rows - 1));
        constexpr int kLine = 64 / sizeof(*p);
        TILE_UNROLL
        for (int x = 0; x < N; x += kLine)
          __builtin_prefetch(p + x, 0, 3);
      }
    }
  };
  static constexpr int kRowsAhead = 8;

  // ---- tiles

  template <int BM, int N>
  TILE_FN void fill(Accum<BM, N>& a, float x) const {
    float* d = &a.d[0][0];
    TILE_ROLL
    for (int i = 0; i < BM * Accum<BM, N>::kStride; i += kLanes) {
      *(VecF32*)(d + i) = splat(x);
    }
    a.scaled = a.even_odd = false;
  }

  template <class T, int BM, int K, class View>
  TILE_FN void load(Operand<T, BM, K>& q, const View& view, i64 r0) {
    this->template take_rows<BM>(view, r0);
    const int n = this->rows_;
    TILE_ROLL
    for (int i = 0; i < BM; ++i) {
      const T* p = view.row(r0 + imin(i, n - 1));
      for_each_step<T, K>([&](auto part, int x) {
        if constexpr (kPaired<T> && part.vectors == 2) {
          const VecU32 pairs = *(const VecU32Unaligned*)(p + x);
          *(VecU32*)&q.d[i][x] = i < n ? pairs : VecU32{};
        } else {
          VecF32 v[part.vectors];
          load_step(part, p + x, v);
          TILE_UNROLL
          for (int u = 0; u < part.vectors; ++u)
            *(VecF32*)&q.d[i][x + u * kLanes] = i < n ? v[u] : VecF32{};
        }
      });
    }
  }

  // o += w * (rows r0 .. of the view), row by row.
  template <int BM, int N, class View>
  TILE_FN void add_rows(Accum<BM, N>& o, const View& view, i64 r0, const Row<BM>& w) const {
    const int n = (int)lmin(BM, view.rows - r0);
    TILE_ROLL
    for (int i = 0; i < n; ++i) {
      const auto* p = view.row(r0 + i);
      for_each_step<float, N>([&](auto part, int x) {
        VecF32& sum = *(VecF32*)&o.d[i][x];
        sum = xfma(load_part<part.lanes>(p + x), splat(w.v[i]), sum);
      });
    }
  }

  template <int BM, int N, class View>
  TILE_FN void store(const View& view, i64 r0, const Accum<BM, N>& o, const Row<BM>& factor) const {
    const int n = (int)lmin(BM, view.rows - r0);
    TILE_ROLL
    for (int i = 0; i < n; ++i) {
      const VecF32 scale = splat(o.scaled ? factor.v[i] * o.scale.v[i] : factor.v[i]);
      auto* p = view.row(r0 + i);
      if (o.even_odd) {
        for_each_step<bf16, N>(
            [&](auto part, int x) { store_step(part, p + x, &o.d[i][x], scale); });
      } else {
        for_each_step<float, N>(
            [&](auto part, int x) { store_step(part, p + x, &o.d[i][x], scale); });
      }
    }
  }

  // ---- products

  // s = q k^T. Two keys are read at a time; the sums of kLanes products are finished together.
  template <class T, int BM, int N, int K, class Chunk>
  TILE_FN void mma_abt(Accum<BM, N>& s, const Operand<T, BM, K>& q, const Chunk& k) const {
    constexpr int kRows = imin(BM, kLanes), kKeys = kLanes / kRows, kPair = imin(kKeys, 2);
    static_assert(BM % kRows == 0 && kLanes % kRows == 0, "a tile's rows must be a power of two");
    s.columns = footprint::round_up(k.count, kLanes);
    s.scaled = s.even_odd = false;
    TILE_ROLL
    for (int j0 = 0; j0 < s.columns; j0 += kKeys) {
      TILE_ROLL
      for (int i0 = 0; i0 < BM; i0 += kRows) {
        VecF32 sum[kLanes];
        TILE_ROLL
        for (int j = 0; j < kKeys; j += kPair) {
          const T* key[kPair];
          VecF32 part_sum[kRows][kPair];
          TILE_UNROLL
          for (int n = 0; n < kPair; ++n) {
            key[n] = k.view->row(k.first + imin(j0 + j + n, k.count - 1));
            k.template fetch_ahead<K>(j0 + j + n);
            TILE_UNROLL
            for (int i = 0; i < kRows; ++i)
              part_sum[i][n] = VecF32{};
          }
          for_each_step<T, K>([&](auto part, int x) {
            if constexpr (kPaired<T> && part.vectors == 2) {
              VecU32 v[kPair];
              TILE_UNROLL
              for (int n = 0; n < kPair; ++n)
                v[n] = *(const VecU32Unaligned*)(key[n] + x);
              add_products<kRows>(part_sum, v, (const VecU32*)&q.d[i0][x], q.kRowVectors);
            } else {
              VecF32 v[part.vectors][kPair];
              TILE_UNROLL
              for (int n = 0; n < kPair; ++n) {
                VecF32 values[part.vectors];
                load_step(part, key[n] + x, values);
                TILE_UNROLL
                for (int u = 0; u < part.vectors; ++u)
                  v[u][n] = values[u];
              }
              TILE_UNROLL
              for (int u = 0; u < part.vectors; ++u) {
                add_products<kRows>(part_sum, v[u], (const VecF32*)&q.d[i0][x + u * kLanes],
                                    q.kRowVectors);
              }
            }
          });
          TILE_UNROLL
          for (int i = 0; i < kRows; ++i) {
            TILE_UNROLL
            for (int n = 0; n < kPair; ++n)
              sum[i * kKeys + j + n] = part_sum[i][n];
          }
        }
        const VecF32 total = sums(sum);
        TILE_UNROLL
        for (int i = 0; i < kRows; ++i) {
          __builtin_memcpy(&s.d[i0 + i][j0], (const float*)&total + i * kKeys, 4 * kKeys);
        }
      }
    }
  }

  // o = diag(owed scale) o + p v
  template <class T, int BM, int N, int K, class Chunk>
  TILE_FN void mma_acc(Accum<BM, N>& o, const OperandInPlace<T, BM, K>& p, const Chunk& v) const {
    o.even_odd = kSame<T, bf16>;
    if (o.scaled) {
      TILE_ROLL
      for (int i = 0; i < BM; ++i) {
        for_each_step<float, N>([&](auto, int x) { *(VecF32*)&o.d[i][x] *= splat(o.scale.v[i]); });
      }
      o.scaled = false;
    }
    constexpr int kKeys = 4;  // as many hide the accumulator's load and store
    int j = 0;
    TILE_ROLL
    for (; j + kKeys <= v.count; j += kKeys)
      add_keys<kKeys, T>(o, p, v, j);
    TILE_ROLL
    for (; j < v.count; ++j)
      add_keys<1, T>(o, p, v, j);
  }

  template <class T, int BM, int N>
  TILE_FN OperandInPlace<T, BM, N> to_operand(const Accum<BM, N>& s) const {
    return {&s.d[0][0], Accum<BM, N>::kStride, s.columns};
  }

  // ---- maps

  template <int BM, int N, class F, class... R>
  TILE_FN void map(Accum<BM, N>& s, F f, const R&... row) const {
    TILE_ROLL
    for (int i = 0; i < BM; ++i) {
      TILE_ROLL
      for (int j = 0; j < s.columns; j += kLanes) {
        VecF32& x = *(VecF32*)&s.d[i][j];
        x = f(x, i, lane_index() + j, row.v[i]...);
      }
    }
  }

  template <int BM, int N>
  TILE_FN void row_max(Row<BM>& m, const Accum<BM, N>& s) const {
    TILE_ROLL
    for (int i = 0; i < BM; ++i) {
      VecF32 most = splat(m.v[i]);
      TILE_ROLL
      for (int j = 0; j < s.columns; j += kLanes) {
        most = xmax(*(const VecF32*)&s.d[i][j], most);
      }
      m.v[i] = lane_max(most);
    }
  }

  template <class T, int BM, int N, class F>
  TILE_FN void map_rows(Accum<BM, N>& s, const Row<BM>& r, Row<BM>& l, F f) const {
    TILE_ROLL
    for (int i = 0; i < BM; ++i) {
      VecF32 sum = {};
      TILE_ROLL
      for (int j = 0; j < s.columns; j += kLanes) {
        VecF32& x = *(VecF32*)&s.d[i][j];
        x = f(x, splat(r.v[i]));
        sum += x;
      }
      l.v[i] += lane_sum(sum);
    }
  }

  // ---- the key loop: see RowsBlock::stream

  template <int BM, int BN, class T, int D, int DV, class KView, class VView, class Score,
            class Soften, class Turn, class Accumulate>
  TILE_FN void stream(i64 lo, i64 hi, const IndexRow<BM>&, const KView& k, const VView& v,
                      Score score, Soften soften, Turn turn, Accumulate accumulate) {
    static_assert(BN % kLanes == 0, "a chunk's rows must fill vectors");
    Accum<BM, BN> s;
    Row<BM> alpha = this->template row<BM>(1.f);
    TILE_ROLL
    for (i64 n0 = lo; n0 < hi; n0 += BN) {
      const int count = (int)lmin(BN, hi - n0);
      score(s, ChunkRef<KView, VView>{&k, n0, count, &v, n0});
      soften(n0, s, alpha);
      auto&& p = turn(s, alpha);
      accumulate(p, ChunkRef<VView, KView>{&v, n0, count, &k, n0 + count});
    }
  }

 private:
  // Whether two columns of T share a lane in scores, and two keys in sums of values.
  template <class T>
  static constexpr bool kPaired = kSame<T, bf16> && Multiplicand<T>::kPerLane == 2;

  // sum[row][key] += products of the keys with `Rows` vectors of queries, `stride` vectors apart.
  template <int Rows, int Keys, class V>
  static TILE_FN void add_products(VecF32 (&sum)[Rows][Keys], const V (&key)[Keys], const V* query,
                                   int stride) {
    TILE_UNROLL
    for (int i = 0; i < Rows; ++i) {
      const V q = query[i * stride];
      TILE_UNROLL
      for (int n = 0; n < Keys; ++n)
        sum[i][n] = multiply_add(sum[i][n], key[n], q);
    }
  }

  // o += p v for keys j .. j + Keys - 1 of the chunk, their rows read from end to end.
  template <int Keys, class T, int BM, int N, int K, class Chunk>
  static TILE_FN void add_keys(Accum<BM, N>& o, const OperandInPlace<T, BM, K>& p, const Chunk& v,
                               int j) {
    constexpr int kHalf = (Keys + 1) / 2;
    constexpr bool kPairs = kPaired<T> && Keys % 2 == 0;
    const T* row[Keys];
    VecF32 weight[BM][Keys];
    VecU32 pair_weight[BM][kHalf];
    TILE_UNROLL
    for (int n = 0; n < Keys; ++n) {
      row[n] = v.view->row(v.first + j + n);
      v.template fetch_ahead<N>(j + n);
      TILE_UNROLL
      for (int i = 0; i < BM; ++i)
        weight[i][n] = splat(p.values[i * p.stride + j + n]);
    }
    if constexpr (kPairs) {
      TILE_UNROLL
      for (int n = 0; n < Keys; n += 2) {
        TILE_UNROLL
        for (int i = 0; i < BM; ++i)
          pair_weight[i][n / 2] = pair_up(weight[i][n], weight[i][n + 1]);
      }
    }
    for_each_step<T, N>([&](auto part, int x) {
      if constexpr (kPairs && part.vectors == 2) {
        VecU32 value[2][kHalf];  // even and odd columns of two keys
        TILE_UNROLL
        for (int n = 0; n < kHalf; ++n) {
          const VecU32 a = *(const VecU32Unaligned*)(row[2 * n] + x);
          const VecU32 b = *(const VecU32Unaligned*)(row[imin(2 * n + 1, Keys - 1)] + x);
          value[0][n] = (a & 0xffff) | (b << 16);
          value[1][n] = (a >> 16) | (b & 0xffff0000);
        }
        add_values(&o.d[0][x], Accum<BM, N>::kStride, value, pair_weight);
      } else {
        VecF32 value[part.vectors][Keys];
        TILE_UNROLL
        for (int n = 0; n < Keys; ++n) {
          VecF32 values[part.vectors];
          load_step(part, row[n] + x, values);
          TILE_UNROLL
          for (int u = 0; u < part.vectors; ++u)
            value[u][n] = values[u];
        }
        add_values(&o.d[0][x], Accum<BM, N>::kStride, value, weight);
      }
    });
  }

  // For each row and vector u, kLanes apart: sum += values of all keys (or pairs) times their
  // weights.
  template <int BM, int U, int Keys, class V>
  static TILE_FN void add_values(float* sums, int stride, const V (&value)[U][Keys],
                                 const V (&weight)[BM][Keys]) {
    TILE_UNROLL
    for (int i = 0; i < BM; ++i) {
      TILE_UNROLL
      for (int u = 0; u < U; ++u) {
        VecF32& to = *(VecF32*)(sums + i * stride + u * kLanes);
        VecF32 sum = to;
        TILE_UNROLL
        for (int n = 0; n < Keys; ++n)
          sum = multiply_add(sum, value[u][n], weight[i][n]);
        to = sum;
      }
    }
  }
};

}  // namespace tile
