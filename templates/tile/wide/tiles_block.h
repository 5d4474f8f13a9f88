// What the blocks of the wide lowering share whatever lies in their lanes: the block's place in the
// grid, views, and one value a row.
//
// A block of tiles derives from TilesBlock and adds its tiles, its products and its key loop.

#pragma once

#include "tile/footprint.h"
#include "tile/schedule.h"
#include "tile/view.h"
#include "tile/wide/vector.h"

namespace tile {

// One number for each of BM rows: kLanes of them to a vector, or each a scalar.
template <class V, int BM>
struct RowValues {
  static constexpr int kRows = sizeof(V) / 4;  // of one V
  static constexpr int kCount = BM / kRows;
  V v[kCount];

  template <class X>
  TILE_FN void set(int row, X x) {
    if constexpr (kRows == 1) {
      v[row] = x;
    } else {
      v[row / kRows][row % kRows] = x;
    }
  }
  TILE_FN auto get(int row) const {
    if constexpr (kRows == 1) {
      return v[row];
    } else {
      return v[row / kRows][row % kRows];
    }
  }
};

// `Value` and `Index` hold rows: VecF32 and VecI32, or float and i32.
template <class ConfigType, class Value, class Index>
class TilesBlock {
 public:
  using Config = ConfigType;

  template <int BM>
  using Row = RowValues<Value, BM>;
  template <int BM>
  using IndexRow = RowValues<Index, BM>;

  TILE_FN explicit TilesBlock(const i64 (&id)[3]) : id_{id[0], id[1], id[2]} {}

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

  template <int BM>
  TILE_FN Row<BM> row(float x) const {
    Row<BM> r;
    if constexpr (r.kRows == 1) {
      TILE_UNROLL
      for (float& value : r.v)
        value = x;
    } else {
      TILE_ROLL
      for (VecF32& values : r.v)
        values = splat(x);
    }
    return r;
  }

  // f(index of the row in the tile), an integer for each row.
  template <int BM, class F>
  TILE_FN IndexRow<BM> index_rows(F f) const {
    IndexRow<BM> r;
    TILE_ROLL
    for (int i = 0; i < BM; ++i)
      r.set(i, f(i));
    return r;
  }

  template <int BM, class F, class... R>
  TILE_FN Row<BM> rows(F f, const Row<BM>& first, const R&... more) const {
    Row<BM> r;
    TILE_ROLL
    for (int i = 0; i < r.kCount; ++i)
      r.v[i] = f(first.v[i], more.v[i]...);
    return r;
  }

  // Sums over a row are whole: those of its lane, or those that `map_rows` left.
  template <int BM>
  TILE_FN void row_reduce(Row<BM>&) const {}

  template <int BM, class View>
  TILE_FN void store_row(const View& view, i64 r0, const Row<BM>& r) const {
    const int n = (int)lmin(BM, view.rows - r0);
    TILE_ROLL
    for (int i = 0; i < n; ++i)
      *view.row(r0 + i) = r.get(i);
  }

  // One value a row; rows outside the view get `outside`.
  template <int BM, class View>
  TILE_FN Row<BM> load_row(const View& view, i64 r0, float outside) const {
    Row<BM> r = row<BM>(outside);
    const int n = (int)lmin(BM, view.rows - r0);
    TILE_ROLL
    for (int i = 0; i < n; ++i)
      r.set(i, *view.row(r0 + i));
    return r;
  }

  // Lazy: the next product applies it as it loads the accumulator.
  template <class Accum, class Scale>
  TILE_FN void scale_rows(Accum& o, const Scale& scale) const {
    o.scale = scale;
    o.scaled = true;
  }

 protected:
  // From here on the block's rows are those of the view from r0 on, at most BM.
  template <int BM, class View>
  TILE_FN void take_rows(const View& view, i64 r0) {
    rows_ = (int)lmin(BM, view.rows - r0);
  }

  int rows_ = 1 << 30;  // of the block that are there

 private:
  i64 id_[3];
};

}  // namespace tile
