// What a contraction c[i][j] = sum over k of a[i][k] b[k][j] reads and what is done to its sums:
// the words that kernels use with `stream_k` and `store`.

#pragma once

#include "tile/view.h"

namespace tile {

// An operand whose k runs along the rows of its view, which has a row for every i (of a right
// operand: j).
template <class ViewType>
struct KAlongRows {
  using View = ViewType;
  static constexpr bool kDown = false;
  View view;
  i64 depth;  // elements of a row: how far k goes

  TILE_FN i64 extent() const { return view.rows; }
};

// An operand whose k runs down the rows of its view, which has a row for every k.
template <class ViewType>
struct KDownRows {
  using View = ViewType;
  static constexpr bool kDown = true;
  View view;
  i64 length;  // elements of a row: how far i or j goes

  TILE_FN i64 extent() const { return length; }
};

template <class View>
TILE_FN KAlongRows<View> k_along_rows(const View& view, i64 depth) {
  return {view, depth};
}
template <class View>
TILE_FN KDownRows<View> k_down_rows(const View& view, i64 length) {
  return {view, length};
}

// What `store` hands to an element function beside the sum of row i and column j: one value for
// all, for each row, for each column, or for each element; or for each element the sum of several.
struct ForAll {
  float value;
};
template <class View>
struct ForRows {
  View view;  // row i holds the value of row i
};
template <class View>
struct ForColumns {
  View view;  // row 0 holds the values
};
template <class View>
struct ForElements {
  View view;  // row i holds those of row i
};

template <int Count, class ViewType>
struct ForSums {
  using View = ViewType;
  static constexpr int kCount = Count;
  View view;   // row i holds the first values of row i
  i64 stride;  // elements from one to the next
};

template <class View>
TILE_FN ForRows<View> for_rows(const View& view) {
  return {view};
}
template <class View>
TILE_FN ForColumns<View> for_columns(const View& view) {
  return {view};
}
template <class View>
TILE_FN ForElements<View> for_elements(const View& view) {
  return {view};
}
template <int Count, class View>
TILE_FN ForSums<Count, View> for_sums(const View& view, i64 stride) {
  return {view, stride};
}

}  // namespace tile
