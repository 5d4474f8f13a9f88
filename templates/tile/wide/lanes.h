// Lane items of the wide lowering: kernels that are not matrix products.
//
// An item owns packs: W consecutive f32 values, W a multiple of kLanes. One thread works through a
// block's items in order, so sync() costs nothing here. Packs lie in registers; a block's scratch
// is reached only through get() and put(), by index in floats, and any index is allowed.
//
// load_planes() and store_planes() move between tensors whose planes lie apart and scratch where
// lane l holds plane l: the transpose that puts planes into lanes.

#pragma once

#include "tile/elements.h"
#include "tile/footprint.h"
#include "tile/schedule.h"
#include "tile/wide/vector.h"

namespace tile {

#define TILE_UNROLL_4 _Pragma("clang loop unroll_count(4)")

template <int W>
struct Pack {
  static_assert(W % kLanes == 0, "a pack is made of whole vectors");
  static constexpr int kVectors = W / kLanes;
  VecF32 v[kVectors];

  static TILE_FN Pack splat(float x) {
    Pack r;
    TILE_UNROLL
    for (int i = 0; i < kVectors; ++i)
      r.v[i] = tile::splat(x);
    return r;
  }

  // this += a b
  TILE_FN void multiply_add(const Pack& a, const Pack& b) {
    TILE_UNROLL
    for (int i = 0; i < kVectors; ++i)
      v[i] = xfma(a.v[i], b.v[i], v[i]);
  }

  template <class F>
  TILE_FN Pack map(F f) const {
    Pack r;
    TILE_UNROLL
    for (int i = 0; i < kVectors; ++i)
      r.v[i] = f(v[i]);
    return r;
  }
};

// Scratch is addressed by index in floats from the block's first.
template <class C>
class ItemsBlock {
 public:
  using Config = C;
  static constexpr int kWidth = kLanes;
  static constexpr int kRegisters = footprint::available_registers(kLanes);

  TILE_FN ItemsBlock(const i64 (&index)[3], void* scratch)
      : index_{index[0], index[1], index[2]}, scratch_(static_cast<float*>(scratch)) {}

  template <int Axis>
  TILE_FN i64 id() const {
    return index_[Axis];
  }

  TILE_FN void sync() const {}

  template <class F>
  TILE_FN void for_each(i64 n, F f) const {
    TILE_ROLL
    for (i64 i = 0; i < n; ++i)
      f(i);
  }
  // All pairs (i, j); neighbours in j are neighbouring items.
  template <class F>
  TILE_FN void for_each(i64 rows, i64 columns, F f) const {
    TILE_ROLL
    for (i64 i = 0; i < rows; ++i) {
      TILE_ROLL
      for (i64 j = 0; j < columns; ++j)
        f(i, j);
    }
  }

  // ---- scratch
  template <int W>
  TILE_FN Pack<W> get(i64 at) const {
    Pack<W> r;
    TILE_UNROLL
    for (int i = 0; i < Pack<W>::kVectors; ++i)
      r.v[i] = tile::load(scratch_ + at + i * kLanes);
    return r;
  }
  template <int W>
  TILE_FN void put(i64 at, const Pack<W>& x) const {
    TILE_UNROLL
    for (int i = 0; i < Pack<W>::kVectors; ++i)
      tile::store(scratch_ + at + i * kLanes, x.v[i]);
  }
  TILE_FN float get_scalar(i64 at) const { return scratch_[at]; }
  TILE_FN void put_scalar(i64 at, float x) const { scratch_[at] = x; }

  // ---- tensors
  template <class T, int R>
  TILE_FN Elements<const T> input(const Tensor<R>& t) const {
    return {static_cast<const T*>(t.data)};
  }
  template <class T, int R>
  TILE_FN Elements<T> output(const Tensor<R>& t) const {
    return {static_cast<T*>(const_cast<void*>(t.data))};
  }
  template <class T>
  TILE_FN float load_scalar(Elements<const T> x, i64 at) const {
    return to_float(x.first[at]);
  }
  template <int W, class T>
  TILE_FN Pack<W> load(Elements<const T> x, i64 at) const {
    Pack<W> r;
    TILE_UNROLL
    for (int i = 0; i < Pack<W>::kVectors; ++i)
      r.v[i] = tile::load(x.first + at + i * kLanes);
    return r;
  }
  // The first n values, the others 0; n may exceed W.
  template <int W, class T>
  TILE_FN Pack<W> load(Elements<const T> x, i64 at, i64 n) const {
    if (n >= W) return load<W>(x, at);
    Pack<W> r;
    TILE_UNROLL
    for (int i = 0; i < Pack<W>::kVectors; ++i)
      r.v[i] = tile::load_first(x.first + at + i * kLanes, within(n - i * kLanes));
    return r;
  }
  template <int W, class T>
  TILE_FN void store(Elements<T> y, i64 at, const Pack<W>& x) const {
    TILE_UNROLL
    for (int i = 0; i < Pack<W>::kVectors; ++i)
      tile::store(y.first + at + i * kLanes, x.v[i]);
  }
  template <int W, class T>
  TILE_FN void store(Elements<T> y, i64 at, const Pack<W>& x, i64 n) const {
    if (n >= W) return store(y, at, x);
    TILE_UNROLL
    for (int i = 0; i < Pack<W>::kVectors; ++i)
      tile::store_first(y.first + at + i * kLanes, x.v[i], within(n - i * kLanes));
  }
  // store() for what this launch does not read again.
  template <int W, class T>
  TILE_FN void stream(Elements<T> y, i64 at, const Pack<W>& x) const {
    TILE_UNROLL
    for (int i = 0; i < Pack<W>::kVectors; ++i)
      tile::stream(y.first + at + i * kLanes, x.v[i]);
  }
  template <class T>
  TILE_FN void prefetch(Elements<const T> x, i64 at) const {
    __builtin_prefetch(x.first + at, 0, 3);
  }

  // Scratch floats [at, at + n) = 0; up to W more may be cleared.
  template <int W>
  TILE_FN void clear(i64 at, i64 n) const {
    const VecF32 zero = {};
    TILE_ROLL
    for (i64 i = 0; i < n; i += W) {
      asm volatile("" ::: "memory");  // else the loop becomes a call of memset
      TILE_UNROLL
      for (int v = 0; v < W; v += kLanes)
        tile::store(scratch_ + at + i + v, zero);
    }
  }

  // y[at + i] = scratch[from + i] for i < n, whole lines past the cache.
  template <class T>
  TILE_FN void stream_run(Elements<T> y, i64 at, i64 from, i64 n) const;
  // What was streamed may be read by others after this.
  TILE_FN void publish() const { stream_fence(); }

  // scratch[to + row pitch + column] = x[at + row row_stride + column]; up to W more may be
  // written.
  template <int W, class T>
  TILE_FN void load_rows(i64 to, i64 pitch, Elements<const T> x, i64 at, i64 rows, i64 columns,
                         i64 row_stride) const {
    for_each(rows, ceil_div(columns, W), [&](i64 r, i64 v) {
      const i64 s = lmax(0, lmin(v * W, columns - W));  // the last pack overlaps its neighbour
      put<W>(to + r * pitch + s, load<W>(x, at + r * row_stride + s, columns - s));
    });
  }

  // scratch[to + row pitch + column W + l] = x[at + row row_stride + column column_stride + l] for
  // l < n; what lanes from n on receive is unspecified. Points are `extent` elements long, and the
  // n are the last of them unless n >= W.
  template <int W, class T>
  TILE_FN void load_points(i64 to, i64 pitch, Elements<const T> x, i64 at, i64 rows, i64 columns,
                           i64 row_stride, i64 column_stride, i64 n, i64 extent) const {
    // Whole packs may be loaded where as many elements follow without gaps.
    const i64 short_of = n >= W ? 0 : column_stride == extent ? ceil_div(W - n, extent) : columns;
    const i64 whole = lmax(0, columns - short_of);
    TILE_ROLL
    for (i64 r = 0; r < rows; ++r) {
      const T* from = x.first + at + r * row_stride;
      float* p = scratch_ + to + r * pitch;
      TILE_UNROLL_4
      for (i64 s = 0; s < whole; ++s) {
        TILE_UNROLL
        for (int v = 0; v < W; v += kLanes)
          tile::store(p + v, tile::load(from + v));
        from += column_stride;
        p += W;
      }
      TILE_ROLL
      for (i64 s = whole; s < columns; ++s) {
        TILE_UNROLL
        for (int v = 0; v < W; v += kLanes)
          tile::store(p + v, tile::load_first(from + v, within(n - v)));
        from += column_stride;
        p += W;
      }
    }
  }

  // ---- planes
  template <int W, class F>
  using LaneOffsets = KeptOffsets<W>;
  // f(lane) for each lane.
  template <int W, class F>
  TILE_FN LaneOffsets<W, F> lane_offsets(F f) const {
    LaneOffsets<W, F> r;
    TILE_ROLL
    for (int l = 0; l < W; ++l)
      r.of[l] = f(l);
    return r;
  }

  // scratch[to + row pitch + column W + l] = x[plane(l) + row row_stride + column]
  template <int W, class T>
  TILE_FN void load_planes(i64 to, i64 pitch, Elements<const T> x, const KeptOffsets<W>& plane,
                           i64 rows, i64 columns, i64 row_stride) const;
  // put(l, j, n, v): lanes 0..n-1 of v are values j, j+1, ... of plane l < count, which lie in
  // scratch[from + j W + l], j < run. Values may be put twice.
  template <int W, class Put>
  TILE_FN void each_plane(i64 from, i64 count, i64 run, Put put) const;
  // y[plane(l) + row row_stride + column] = scratch[from + (row columns + column) W + l]
  template <int W, class T>
  TILE_FN void store_planes(Elements<T> y, const KeptOffsets<W>& plane, i64 count, i64 rows,
                            i64 columns, i64 row_stride, i64 from) const {
    const bool joined = row_stride == columns;
    TILE_ROLL
    for (i64 row = 0; row < (joined ? 1 : rows); ++row) {
      each_plane<W>(from + row * columns * W, count, joined ? rows * columns : columns,
                    [&](int l, i64 j, int n, VecF32 v) {
                      T* p = y.first + plane(l) + row * row_stride + j;
                      if (n == kLanes) {
                        tile::store(p, v);
                      } else {
                        tile::store_first(p, v, n);
                      }
                    });
    }
  }
  // scratch[to + l run + j] = scratch[from + j W + l]; up to kLanes more may be written.
  template <int W>
  TILE_FN void transpose_planes(i64 to, i64 count, i64 run, i64 from) const {
    each_plane<W>(from, count, run, [&](int l, i64 j, int, VecF32 v) {
      tile::store(scratch_ + to + l * run + j, v);
    });
  }

 private:
  static TILE_FN int within(i64 n) { return (int)lmax(0, lmin(n, kLanes)); }

  i64 index_[3];
  float* scratch_;
};

template <class C>
template <class T>
TILE_FN void ItemsBlock<C>::stream_run(Elements<T> y, i64 at, i64 from, i64 n) const {
  constexpr int kLine = 64 / sizeof(T);
  T* p = y.first + at;
  const float* s = scratch_ + from;
  const i64 head = lmin(n, (i64)(-(u64)p % 64 / sizeof(T)));
  TILE_ROLL
  for (i64 i = 0; i < head; i += kLanes)
    tile::store_first(p + i, tile::load(s + i), within(head - i));
  i64 i = head;
  TILE_ROLL
  for (; i + kLine <= n; i += kLine) {
    TILE_UNROLL
    for (int v = 0; v < kLine; v += kLanes)
      tile::stream(p + i + v, tile::load(s + i + v));
  }
  TILE_ROLL
  for (; i < n; i += kLanes)
    tile::store_first(p + i, tile::load(s + i), within(n - i));
}

template <class C>
template <int W, class T>
TILE_FN void ItemsBlock<C>::load_planes(i64 to, i64 pitch, Elements<const T> x,
                                        const KeptOffsets<W>& plane, i64 rows, i64 columns,
                                        i64 row_stride) const {
  // Rows without gaps are one run: few columns would waste lanes.
  const bool joined = row_stride == columns;
  const i64 run = joined ? rows * columns : columns;
  const i64 runs = joined ? 1 : rows;
  const i64 gap = pitch - columns * W;
  TILE_ROLL
  for (i64 row = 0; row < runs; ++row) {
    const T* line = x.first + row * row_stride;
    float* out = scratch_ + to + row * pitch;
    i64 column = 0;
    TILE_ROLL
    for (i64 j = 0; j < run; j += kLanes) {
      i64 start = j;
      if (j + kLanes > run && run >= kLanes) {  // the last vector of a run overlaps its neighbour
        start = run - kLanes;
        const i64 above = joined ? start / columns : 0;
        column = start - above * columns;
        out = scratch_ + to + (row + above) * pitch + column * W;
      }
      float* p = out;
      TILE_ROLL
      for (int block = 0; block < W; block += kLanes) {
        VecF32 r[kLanes];
        if (run >= kLanes) {
          TILE_UNROLL
          for (int l = 0; l < kLanes; ++l)
            r[l] = tile::load(line + start + plane(block + l));
        } else {
          TILE_UNROLL
          for (int l = 0; l < kLanes; ++l)
            r[l] = tile::load_first(line + start + plane(block + l), (int)run);
        }
        transpose(r);
        p = out + block;
        i64 c = column;
        if (c + kLanes < columns) {
          TILE_UNROLL
          for (int l = 0; l < kLanes; ++l)
            tile::store(p + l * W, r[l]);
          c += kLanes;
          p += kLanes * W;
        } else {
          TILE_UNROLL
          for (int l = 0; l < kLanes; ++l) {
            if (l < run) tile::store(p, r[l]);
            ++c;
            const bool wraps = c == columns;
            p += W + (wraps ? gap : 0);
            c = wraps ? 0 : c;
          }
        }
        if (block + kLanes == W) column = c;
      }
      out = p - (W - kLanes);
    }
  }
}

template <class C>
template <int W, class Put>
TILE_FN void ItemsBlock<C>::each_plane(i64 from, i64 count, i64 run, Put put) const {
  TILE_ROLL
  for (i64 j = 0; j < run; j += kLanes) {
    const i64 start = lmax(0, lmin(j, run - kLanes));
    TILE_ROLL
    for (int block = 0; block < W; block += kLanes) {
      const float* p = scratch_ + from + start * W + block;
      VecF32 r[kLanes];
      TILE_UNROLL
      for (int l = 0; l < kLanes; ++l)
        r[l] = tile::load(p + lmin(l, run - 1) * W);
      transpose(r);
      if (block + kLanes <= count && run >= kLanes) {
        TILE_UNROLL
        for (int l = 0; l < kLanes; ++l)
          put(block + l, start, kLanes, r[l]);
      } else {
        TILE_UNROLL
        for (int l = 0; l < kLanes; ++l)
          if (block + l < count) put(block + l, start, (int)lmin(run, kLanes), r[l]);
      }
    }
  }
}

}  // namespace tile
