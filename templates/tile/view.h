// Views: two-dimensional windows of named tensor arguments, a row being contiguous.
//
// A kernel says which coordinates of the tensor are fixed and which axis the window's rows follow;
// how rows are addressed is the view's business. Every view offers
//
//     Element      type of an element, const where it is only read
//     rows         how many rows there are
//     row(r)       where row r (0 <= r < rows) begins: to be hoisted out of loops along a row
//     at(row, j)   where element j of such a row lies
//     address_bits()   the bits that are set in the address of some row: where the lowest k are 0,
//                  all rows are aligned to 2^k bytes
//     kAffine      whether consecutive rows lie `stride` elements apart: such rows can be used in
//                  place
//
// Views are made by the block (`blk.view<T>(argument, rows...)`) and never from raw addresses, so
// that a lowering can let a hardware descriptor of the argument ride along.

#pragma once

#include "tile/core.h"

namespace tile {

// Rows 0 .. count-1 follow axis Axis, beginning at the coordinates `at`.
template <int Axis, int R>
struct RowsAlong {
  i64 count;
  i64 at[R];
};
template <int Axis, class... I>
TILE_FN RowsAlong<Axis, (int)sizeof...(I)> rows_along(i64 count, I... at) {
  return {count, {(i64)at...}};
}

// Row r is index r / inner of axis Outer and index r % inner of axis Inner: two axes read as one,
// whatever their strides. Heads that share keys become rows of one tile like this.
template <int Outer, int Inner, int R>
struct RowsFolded {
  i64 count;
  i64 inner;
  i64 at[R];
};
template <int Outer, int Inner, class... I>
TILE_FN RowsFolded<Outer, Inner, (int)sizeof...(I)> rows_folded(i64 count, i64 inner, I... at) {
  return {count, inner, {(i64)at...}};
}

// Row r is index `index[r]` of axis Axis.
template <int Axis, int R>
struct RowsGathered {
  i64 count;
  const i32* index;
  i64 at[R];
};
template <int Axis, class... I>
TILE_FN RowsGathered<Axis, (int)sizeof...(I)> rows_gathered(i64 count, const i32* index, I... at) {
  return {count, index, {(i64)at...}};
}

template <class T>
struct StridedView {
  using Element = T;
  static constexpr bool kAffine = true;
  T* base;
  i64 stride;
  i64 rows;
  TILE_FN T* row(i64 r) const { return base + r * stride; }
  TILE_FN T* at(T* row, i64 j) const { return row + j; }
  TILE_FN u64 address_bits() const { return (u64)base | (u64)stride * sizeof(T); }
};

template <class T>
struct FoldedView {
  using Element = T;
  static constexpr bool kAffine = false;
  T* base;
  i64 outer_stride, inner_stride;
  i64 inner;
  i64 rows;
  TILE_FN T* row(i64 r) const { return base + r / inner * outer_stride + r % inner * inner_stride; }
  TILE_FN T* at(T* row, i64 j) const { return row + j; }
  TILE_FN u64 address_bits() const {
    return (u64)base | (u64)(outer_stride | inner_stride) * sizeof(T);
  }
};

template <class T>
struct GatheredView {
  using Element = T;
  static constexpr bool kAffine = false;
  T* base;
  i64 stride;
  const i32* index;
  i64 rows;
  TILE_FN T* row(i64 r) const { return base + index[r] * stride; }
  TILE_FN T* at(T* row, i64 j) const { return row + j; }
  TILE_FN u64 address_bits() const { return (u64)base | (u64)stride * sizeof(T); }
};

// Where a box begins, by dimension of the map.
template <int R>
struct BoxPlace {
  i32 at[R];
};

// A view that bulk copies know a tensor map of: boxes of its rows can be asked for.
template <class T, int R>
struct MappedView : StridedView<T> {
  static constexpr int kRank = R;
  const TensorMap* map;
  i32 rest[R - 2];  // dimensions from 2 on

  TILE_FN BoxPlace<R> box(i64 row, int column) const {
    BoxPlace<R> place = {{(i32)column, (i32)row}};
    TILE_UNROLL
    for (int d = 2; d < R; ++d)
      place.at[d] = rest[d - 2];
    return place;
  }
};

// Whether boxes of the view can be asked for.
template <class View>
TILE_FN bool has_boxes(const View& view) {
  if constexpr (requires { view.map; }) {
    return view.map->usable != 0;
  } else {
    return false;
  }
}

namespace detail {
template <class T, int R>
TILE_FN T* element(const Tensor<R>& t, const i64 (&at)[R]) {
  T* p = (T*)t.data;
  TILE_UNROLL
  for (int i = 0; i < R; ++i)
    p += at[i] * t.stride[i];
  return p;
}
}  // namespace detail

template <class T, int Axis, int R>
TILE_FN StridedView<T> make_view(const Tensor<R>& t, const RowsAlong<Axis, R>& w) {
  return {detail::element<T>(t, w.at), t.stride[Axis], w.count};
}
template <class T, int Axis, int R>
TILE_FN MappedView<T, R> make_view(const MappedTensor<R>& t, const RowsAlong<Axis, R>& w) {
  static_assert(Axis < R - 1, "the last axis runs along rows");
  MappedView<T, R> view = {make_view<T>(t.tensor, w), &t.map, {}};
  int d = 0;
  TILE_UNROLL
  for (int axis = R - 2; axis >= 0; --axis)
    if (axis != Axis) view.rest[d++] = (i32)w.at[axis];
  return view;
}
template <class T, int Outer, int Inner, int R>
TILE_FN FoldedView<T> make_view(const Tensor<R>& t, const RowsFolded<Outer, Inner, R>& w) {
  return {detail::element<T>(t, w.at), t.stride[Outer], t.stride[Inner], w.inner, w.count};
}
template <class T, int Axis, int R>
TILE_FN GatheredView<T> make_view(const Tensor<R>& t, const RowsGathered<Axis, R>& w) {
  return {detail::element<T>(t, w.at), t.stride[Axis], w.index, w.count};
}

}  // namespace tile
