// Lane items of the simt lowering: kernels that are not matrix products.
//
// A warp is to it what a thread with vectors is to the wide lowering (tile/wide/lanes.h): an item
// belongs to one warp, a pack of W values to its lanes, W / kLanes neighbouring values each. The
// warps of a block share out the items of for_each(); sync() stands between writing scratch and
// reading it. Unlike there, nothing is ever written beyond what was asked for: another warp may be
// writing it.
//
// Config members read here: warps.

#pragma once

#include "tile/elements.h"
#include "tile/footprint.h"
#include "tile/simt/elementary.h"
#include "tile/simt/footprint.h"
#include "tile/simt/grid_block.h"
#include "tile/simt/memory.h"

namespace tile {

template <int W>
struct Pack {
  static_assert(W % Target::kLanes == 0, "a pack is made of whole warps");
  static constexpr int kValues = W / Target::kLanes;
  float v[kValues];  // of elements lane * kValues ..

  static TILE_FN Pack splat(float x) {
    Pack r;
    TILE_UNROLL
    for (int i = 0; i < kValues; ++i)
      r.v[i] = x;
    return r;
  }

  // this += a b
  TILE_FN void multiply_add(const Pack& a, const Pack& b) {
    TILE_UNROLL
    for (int i = 0; i < kValues; ++i)
      v[i] = xfma(a.v[i], b.v[i], v[i]);
  }

  template <class F>
  TILE_FN Pack map(F f) const {
    Pack r;
    TILE_UNROLL
    for (int i = 0; i < kValues; ++i)
      r.v[i] = f(v[i]);
    return r;
  }
};

// Scratch is addressed by index in floats from the block's first.
template <class C>
class ItemsBlock : public GridBlock {
 public:
  using Config = C;
  static constexpr int kWidth = Target::kLanes;
  static constexpr int kRegisters = footprint::kItemRegisters;
  static constexpr int kThreads = footprint::threads(Config::warps, Target::kLanes);

  using GridBlock::GridBlock;

  TILE_FN void sync(Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    t_.block_barrier();
  }

  template <class F>
  TILE_FN void for_each(i64 n, F f) const {
    TILE_ROLL
    for (i64 i = t_.warp(); i < n; i += Config::warps)
      f(i);
  }
  // All pairs (i, j); neighbours in j are neighbouring items.
  template <class F>
  TILE_FN void for_each(i64 rows, i64 columns, F f) const {
    TILE_ROLL
    for (i64 i = t_.warp(); i < rows * columns; i += Config::warps)
      f(i / columns, i % columns);
  }

  // ---- scratch
  template <int W>
  TILE_FN Pack<W> get(i64 at, Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    Pack<W> r;
    each<W>([&](int i, int l) { r.v[i] = scratch(at + l); });
    return r;
  }
  template <int W>
  TILE_FN void put(i64 at, const Pack<W>& x, Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    each<W>([&](int i, int l) { set_scratch(at + l, x.v[i]); });
  }
  // Only the first n values, as far as they are there; n may exceed W.
  template <int W>
  TILE_FN void put_first(i64 at, const Pack<W>& x, i64 n, Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    each<W>([&](int i, int l) {
      if (l < n) set_scratch(at + l, x.v[i]);
    });
  }
  TILE_FN float get_scalar(i64 at, Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    return scratch(at);
  }
  TILE_FN void put_scalar(i64 at, float x, Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    if (t_.lane() == 0) set_scratch(at, x);
  }

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
  TILE_FN float load_scalar(Elements<const T> x, i64 at, Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    return load_element(t_, x.first + at);
  }
  template <int W, class T>
  TILE_FN Pack<W> load(Elements<const T> x, i64 at, Where where = Where::here()) const {
    return load<W>(x, at, W, where);
  }
  // The first n values, the others 0; n may exceed W.
  template <int W, class T>
  TILE_FN Pack<W> load(Elements<const T> x, i64 at, i64 n, Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    Pack<W> r;
    each<W>([&](int i, int l) { r.v[i] = l < n ? load_element(t_, x.first + at + l) : 0.f; });
    return r;
  }
  template <int W, class T>
  TILE_FN void store(Elements<T> y, i64 at, const Pack<W>& x, Where where = Where::here()) const {
    store(y, at, x, W, where);
  }
  template <int W, class T>
  TILE_FN void store(Elements<T> y, i64 at, const Pack<W>& x, i64 n,
                     Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    each<W>([&](int i, int l) {
      if (l < n) store_element(t_, y.first + at + l, x.v[i]);
    });
  }
  // store() for what this launch does not read again.
  template <int W, class T>
  TILE_FN void stream(Elements<T> y, i64 at, const Pack<W>& x, Where where = Where::here()) const {
    store(y, at, x, W, where);
  }
  template <class T>
  TILE_FN void prefetch(Elements<const T>, i64) const {}

  // Scratch floats [at, at + n) = 0.
  template <int W>
  TILE_FN void clear(i64 at, i64 n, Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    TILE_ROLL
    for (i64 i = t_.lane(); i < n; i += Target::kLanes)
      set_scratch(at + i, 0.f);
  }

  // y[at + i] = scratch[from + i] for i < n.
  template <class T>
  TILE_FN void stream_run(Elements<T> y, i64 at, i64 from, i64 n,
                          Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    TILE_ROLL
    for (i64 i = t_.lane(); i < n; i += Target::kLanes)
      store_element(t_, y.first + at + i, scratch(from + i));
  }
  TILE_FN void publish() const {}

  // ---- by all warps

  // scratch[to + row pitch + column] = x[at + row row_stride + column]
  template <int W, class T>
  TILE_FN void load_rows(i64 to, i64 pitch, Elements<const T> x, i64 at, i64 rows, i64 columns,
                         i64 row_stride, Where where = Where::here()) const {
    for_each(rows, ceil_div(columns, W), [&](i64 r, i64 v) {
      put_first<W>(to + r * pitch + v * W,
                   load<W>(x, at + r * row_stride + v * W, columns - v * W, where), columns - v * W,
                   where);
    });
  }

  // scratch[to + row pitch + column W + l] = x[at + row row_stride + column column_stride + l] for
  // l < n.
  template <int W, class T>
  TILE_FN void load_points(i64 to, i64 pitch, Elements<const T> x, i64 at, i64 rows, i64 columns,
                           i64 row_stride, i64 column_stride, i64 n, i64,
                           Where where = Where::here()) const {
    for_each(rows, columns, [&](i64 r, i64 s) {
      const i64 from = at + r * row_stride + s * column_stride;
      put<W>(to + r * pitch + s * W, load<W>(x, from, n, where), where);
    });
  }

  // f(lane), worked out where it is asked for: registers cannot be indexed by a number that lanes
  // choose.
  template <int, class F>
  using LaneOffsets = F;
  template <int, class F>
  TILE_FN F lane_offsets(F f) const {
    return f;
  }

  // scratch[to + row pitch + column W + l] = x[plane(l) + row row_stride + column]
  template <int W, class T, class Offsets>
  TILE_FN void load_planes(i64 to, i64 pitch, Elements<const T> x, const Offsets& plane, i64 rows,
                           i64 columns, i64 row_stride, Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    each_patch<W>(W, rows, columns, [&](int l, i64 r, i64 s) {
      set_scratch(to + r * pitch + s * W + l,
                  load_element(t_, x.first + plane(l) + r * row_stride + s));
    });
  }

  // y[plane(l) + row row_stride + column] = scratch[from + (row columns + column) W + l]
  template <int W, class T, class Offsets>
  TILE_FN void store_planes(Elements<T> y, const Offsets& plane, i64 count, i64 rows, i64 columns,
                            i64 row_stride, i64 from, Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    each_patch<W>(count, rows, columns, [&](int l, i64 r, i64 s) {
      store_element(t_, y.first + plane(l) + r * row_stride + s,
                    scratch(from + (r * columns + s) * W + l));
    });
  }
  // scratch[to + l run + j] = scratch[from + j W + l]
  template <int W>
  TILE_FN void transpose_planes(i64 to, i64 count, i64 run, i64 from,
                                Where where = Where::here()) const {
    const WhereScope scope(t_, where);
    each_patch<W>(count, 1, run, [&](int l, i64, i64 j) {
      set_scratch(to + l * run + j, scratch(from + j * W + l));
    });
  }

 private:
  // Planes and columns that a warp takes at once: short runs along both, for memory on one side
  // and banks on the other.
  static constexpr int kPatchColumns = 8, kPatchPlanes = Target::kLanes / kPatchColumns;

  // f(value, element) of a pack, for this lane's.
  template <int W, class F>
  TILE_FN void each(F f) const {
    TILE_UNROLL
    for (int i = 0; i < Pack<W>::kValues; ++i)
      f(i, t_.lane() * Pack<W>::kValues + i);
  }

  // f(plane, row, column) for all planes below `count`, shared out over warps and lanes.
  template <int W, class F>
  TILE_FN void each_patch(i64 count, i64 rows, i64 columns, F f) const {
    const i64 patches = ceil_div(columns, kPatchColumns);
    for_each(ceil_div(count, kPatchPlanes) * rows, patches, [&](i64 i, i64 patch) {
      const i64 l = i / rows * kPatchPlanes + t_.lane() / kPatchColumns;
      const i64 s = patch * kPatchColumns + t_.lane() % kPatchColumns;
      if (l < count && s < columns) f((int)l, i % rows, s);
    });
  }

  TILE_FN float scratch(i64 at) const {
    return __builtin_bit_cast(float, t_.template lds<u32>((u32)at * 4));
  }
  TILE_FN void set_scratch(i64 at, float x) const {
    t_.sts((u32)at * 4, __builtin_bit_cast(u32, x));
  }
};

}  // namespace tile
