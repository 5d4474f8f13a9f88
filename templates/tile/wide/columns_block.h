// The block of the wide lowering whose tiles have their columns in lanes: for tiles of few rows.
//
// Every element of a right operand is read once, as it lies, and used for all rows of the tile;
// values of a row are scalars. Right operands are never staged. Prefetching fetches the values'
// rows while scores are computed, and the next chunk's keys while values are summed.
//
// Config members read here: prefetch.

#pragma once

#include "tile/footprint.h"
#include "tile/schedule.h"
#include "tile/wide/vector.h"

namespace tile {

template <class ConfigType>
class ColumnsBlock {
 public:
  using Config = ConfigType;

  template <int BM>
  struct Row {
    float v[BM];
  };
  template <int BM>
  struct IndexRow {
    i32 v[BM];
  };
  template <int BM, int N>
  struct Accum {
    static constexpr int kStride = footprint::round_up(N, kLanes);
    alignas(64) float d[BM][kStride];
    Row<BM> scale;  // owed to the values if `scaled`; the next product or store pays it
    bool scaled = false;
    int columns = N;  // how many are in use
  };
  template <class T, int BM, int K>
  struct Operand {
    alignas(64) float d[BM][footprint::round_up(K, kLanes)];
  };
  template <class T, int BM, int K>
  struct OperandInPlace {
    const float* values;
    int stride;
    int depth;
  };
  // A chunk of a right operand: rows first .. first + count - 1 of the view.
  template <class View>
  struct ChunkRef {
    const View* view;
    i64 first;
    int count;
  };

  TILE_FN explicit ColumnsBlock(const i64 (&id)[3]) : id_{id[0], id[1], id[2]} {}

  // Stack that the tiles of a key loop take.
  static constexpr i64 stream_bytes(int block_m, int block_n, int depth) {
    return footprint::stream_bytes(block_m, block_n, depth, kLanes);
  }

  template <int I>
  TILE_FN i64 id() const {
    return id_[I];
  }

  template <class T, class TensorArgument, class Rows>
  TILE_FN auto view(const TensorArgument& argument, const Rows& rows) const {
    return make_view<T>(argument, rows);
  }

  // ---- rows

  template <int BM>
  TILE_FN Row<BM> row(float x) const {
    Row<BM> r;
    TILE_UNROLL
    for (int i = 0; i < BM; ++i)
      r.v[i] = x;
    return r;
  }

  template <int BM, class F>
  TILE_FN IndexRow<BM> index_rows(F f) const {
    IndexRow<BM> r;
    TILE_ROLL
    for (int i = 0; i < BM; ++i)
      r.v[i] = f(i);
    return r;
  }

  template <int BM, class F, class... R>
  TILE_FN Row<BM> rows(F f, const Row<BM>& first, const R&... more) const {
    Row<BM> r;
    TILE_ROLL
    for (int i = 0; i < BM; ++i)
      r.v[i] = f(first.v[i], more.v[i]...);
    return r;
  }

  // `map_rows` leaves whole sums.
  template <int BM>
  TILE_FN void row_reduce(Row<BM>&) const {}

  template <int BM, class View>
  TILE_FN void store_row(const View& view, i64 r0, const Row<BM>& r) const {
    const int n = (int)lmin(BM, view.rows - r0);
    TILE_ROLL
    for (int i = 0; i < n; ++i)
      *view.row(r0 + i) = r.v[i];
  }

  template <int BM, class View>
  TILE_FN Row<BM> load_row(const View& view, i64 r0, float outside) const {
    Row<BM> r = row<BM>(outside);
    const int n = (int)lmin(BM, view.rows - r0);
    TILE_ROLL
    for (int i = 0; i < n; ++i)
      r.v[i] = *view.row(r0 + i);
    return r;
  }

  // ---- tiles

  template <int BM, int N>
  TILE_FN void fill(Accum<BM, N>& a, float x) const {
    float* d = &a.d[0][0];
    TILE_ROLL
    for (int i = 0; i < BM * Accum<BM, N>::kStride; i += kLanes) {
      *(VecF32*)(d + i) = splat(x);
    }
    a.scaled = false;
  }

  template <class T, int BM, int K, class View>
  TILE_FN void load(Operand<T, BM, K>& q, const View& view, i64 r0) {
    rows_ = (int)lmin(BM, view.rows - r0);
    TILE_ROLL
    for (int i = 0; i < BM; ++i) {
      const T* p = i < rows_ ? view.row(r0 + i) : nullptr;
      for_each_vector<K>([&](auto part, int k) {
        *(VecF32*)&q.d[i][k] = p ? load_part<part.value>(p + k) : VecF32{};
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
      for_each_vector<N>([&](auto part, int k) {
        VecF32& sum = *(VecF32*)&o.d[i][k];
        sum = xfma(load_part<part.value>(p + k), splat(w.v[i]), sum);
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
      for_each_vector<N>([&](auto part, int k) {
        store_part<part.value>(p + k, *(const VecF32*)&o.d[i][k] * scale);
      });
    }
  }

  // ---- products

  // s = q k^T. Sums of kLanes products of a row with a key are finished together.
  template <class T, int BM, int N, int K, class View>
  TILE_FN void mma_abt(Accum<BM, N>& s, const Operand<T, BM, K>& q, const ChunkRef<View>& k) const {
    constexpr int kRows = imin(BM, kLanes), kKeys = kLanes / kRows;
    s.columns = footprint::round_up(k.count, kLanes);
    s.scaled = false;
    TILE_ROLL
    for (int j0 = 0; j0 < s.columns; j0 += kKeys) {
      const T* key[kKeys];
      TILE_UNROLL
      for (int j = 0; j < kKeys; ++j) {
        key[j] = k.view->row(k.first + imin(j0 + j, k.count - 1));
      }
      next_v_.fetch(j0, kKeys);
      TILE_ROLL
      for (int i0 = 0; i0 < BM; i0 += kRows) {
        VecF32 sum[kLanes];
        TILE_UNROLL
        for (int i = 0; i < kLanes; ++i)
          sum[i] = VecF32{};
        auto step = [&](auto part, int x) {
          VecF32 key_part[kKeys];
          TILE_UNROLL
          for (int j = 0; j < kKeys; ++j) {
            key_part[j] = load_part<part.value>(key[j] + x);
          }
          TILE_UNROLL
          for (int i = 0; i < kRows; ++i) {
            const VecF32 query = *(const VecF32*)&q.d[imin(i0 + i, BM - 1)][x];
            TILE_UNROLL
            for (int j = 0; j < kKeys; ++j) {
              sum[i * kKeys + j] = xfma(key_part[j], query, sum[i * kKeys + j]);
            }
          }
        };
        constexpr int kWhole = K / kLanes * kLanes;
        TILE_ROLL
        for (int x = 0; x < kWhole; x += kLanes)
          step(Constant<kLanes>{}, x);
        if constexpr (kWhole != K) step(Constant<K - kWhole>{}, kWhole);
        const VecF32 total = sums(sum);
        TILE_UNROLL
        for (int i = 0; i < kRows; ++i) {
          TILE_UNROLL
          for (int j = 0; j < kKeys; ++j) {
            if (i0 + i < BM) s.d[i0 + i][j0 + j] = total[i * kKeys + j];
          }
        }
      }
    }
  }

  // o = diag(owed scale) o + p v
  template <class T, int BM, int N, int K, class View>
  TILE_FN void mma_acc(Accum<BM, N>& o, const OperandInPlace<T, BM, K>& p,
                       const ChunkRef<View>& v) const {
    constexpr int kVectors = value_vectors(BM);
    constexpr int kStrip = kVectors * kLanes, kWhole = N / kStrip * kStrip;
    TILE_ROLL
    for (int d = 0; d < kWhole; d += kStrip)
      add_strip<kVectors, kLanes, T>(o, p, v, d);
    if constexpr (kWhole != N) {
      constexpr int kRest = N - kWhole, kRestVectors = (kRest + kLanes - 1) / kLanes;
      add_strip<kRestVectors, kRest - (kRestVectors - 1) * kLanes, T>(o, p, v, kWhole);
    }
    o.scaled = false;
  }

  template <int BM, int N>
  TILE_FN void scale_rows(Accum<BM, N>& o, const Row<BM>& scale) const {
    o.scale = scale;
    o.scaled = true;
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
    Row<BM> alpha = row<BM>(1.f);
    TILE_ROLL
    for (i64 n0 = lo; n0 < hi; n0 += BN) {
      const int count = (int)lmin(BN, hi - n0);
      if constexpr (Config::prefetch) {
        next_v_ = RowFetch::of(v, n0, hi, DV);
        next_k_ = RowFetch::of(k, n0 + BN, hi, D);
      }
      score(s, ChunkRef<KView>{&k, n0, count});
      soften(n0, s, alpha);
      auto&& p = turn(s, alpha);
      accumulate(p, ChunkRef<VView>{&v, n0, count});
    }
  }

 private:
  // Rows to prefetch in step with a product's loop over other rows.
  struct RowFetch {
    const char* row = nullptr;
    i64 stride = 0;
    int rows = 0;
    int bytes = 0;

    template <class View>
    static TILE_FN RowFetch of(const View& view, i64 first, i64 end, int columns) {
      if constexpr (View::kAffine) {
        constexpr int kBytes = sizeof(*view.base);
        return {(const char*)view.row(first), view.stride * kBytes,
                (int)lmax(0, lmin(1 << 20, end - first)), columns * kBytes};
      } else {
        return {};
      }
    }

    TILE_FN void fetch(int first, int count) const {
      const int end = imin(rows, first + count);
      for (int r = first; r < end; ++r) {
        for (int b = 0; b < bytes; b += 64)
          __builtin_prefetch(row + r * stride + b, 0, 2);
      }
    }
  };

  // Vectors of values summed at once for each of `rows` rows: as many as registers hold.
  static constexpr int value_vectors(int rows) {
    const int most = (footprint::available_registers(kLanes) - 4) / rows;
    return most >= 8 ? 8 : most >= 4 ? 4 : most >= 2 ? 2 : 1;
  }

  // Columns d .. of o, V vectors of which the last has kLast valid lanes.
  template <int V, int kLast, class T, int BM, int N, int K, class View>
  TILE_FN void add_strip(Accum<BM, N>& o, const OperandInPlace<T, BM, K>& p,
                         const ChunkRef<View>& v, int d) const {
    VecF32 sum[BM][V];
    TILE_UNROLL
    for (int i = 0; i < BM; ++i) {
      const VecF32 scale = splat(o.scaled ? o.scale.v[i] : 1.f);
      TILE_UNROLL
      for (int x = 0; x < V; ++x) {
        sum[i][x] = *(const VecF32*)&o.d[i][d + x * kLanes] * scale;
      }
    }
    _Pragma("clang loop unroll_count(2)") for (int j = 0; j < v.count; ++j) {
      const T* row = v.view->row(v.first + j) + d;
      if (d == 0) next_k_.fetch(j, 1);
      VecF32 value[V];
      TILE_UNROLL
      for (int x = 0; x < V - 1; ++x)
        value[x] = tile::load(row + x * kLanes);
      value[V - 1] = load_part<kLast>(row + (V - 1) * kLanes);
      TILE_UNROLL
      for (int i = 0; i < BM; ++i) {
        const VecF32 weight = splat(p.values[i * p.stride + j]);
        TILE_UNROLL
        for (int x = 0; x < V; ++x)
          sum[i][x] = xfma(value[x], weight, sum[i][x]);
      }
    }
    TILE_UNROLL
    for (int i = 0; i < BM; ++i) {
      TILE_UNROLL
      for (int x = 0; x < V; ++x) {
        *(VecF32*)&o.d[i][d + x * kLanes] = sum[i][x];
      }
    }
  }

  // f(lanes there are, first column) for every vector of N columns.
  template <int N, class F>
  static TILE_FN void for_each_vector(F f) {
    constexpr int kWhole = N / kLanes * kLanes;
    TILE_UNROLL
    for (int n = 0; n < kWhole; n += kLanes)
      f(Constant<kLanes>{}, n);
    if constexpr (kWhole != N) f(Constant<N - kWhole>{}, kWhole);
  }

  i64 id_[3];
  int rows_ = 1 << 30;
  RowFetch next_v_, next_k_;
};

}  // namespace tile
