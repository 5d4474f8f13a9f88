// The end of a contraction: an element function of the sums and of what is read beside them.

#pragma once

#include "tile/contraction.h"
#include "tile/wide/vector.h"

namespace tile {

namespace detail {

struct OneValue {
  VecF32 value;
  TILE_FN VecF32 at(int, int) const { return value; }
};
template <class T>
struct RowOfValues {
  const T* first;
  TILE_FN VecF32 at(int j, int count) const {
    return count >= kLanes ? load(first + j) : load_first(first + j, count);
  }
};
template <class T>
TILE_FN RowOfValues<T> row_of_values(const T* first) {
  return {first};
}

// What an input has for row i, from column n0 on.
TILE_FN OneValue values_of_row(const ForAll& input, i64, i64) {
  return {splat(input.value)};
}
template <class View>
TILE_FN OneValue values_of_row(const ForRows<View>& input, i64 i, i64) {
  return {splat(to_float(*input.view.row(i)))};
}
template <class View>
TILE_FN auto values_of_row(const ForColumns<View>& input, i64, i64 n0) {
  return row_of_values(input.view.at(input.view.row(0), n0));
}
template <class View>
TILE_FN auto values_of_row(const ForElements<View>& input, i64 i, i64 n0) {
  return row_of_values(input.view.at(input.view.row(i), n0));
}

template <bool kStreamed, class T, class F, class... Values>
TILE_FN void finish_row(T* to, const float* sums, int columns, F f, const Values&... values) {
  TILE_ROLL
  for (int j = 0; j < columns; j += kLanes) {
    const int count = columns - j;
    const VecF32 x = f(*(const VecF32*)(sums + j), values.at(j, count)...);
    if (count < kLanes) {
      store_first(to + j, x, count);
    } else if constexpr (kStreamed) {
      stream(to + j, x);
    } else {
      store(to + j, x);
    }
  }
}

}  // namespace detail

// Elements (m0 + i, n0 + j) of the view become f(sums[i * stride + j], the inputs' values there).
template <bool kStreamed, class View, class F, class... Inputs>
TILE_FN void finish_rows(const View& view, i64 m0, int rows, i64 n0, int columns, const float* sums,
                         i64 stride, F f, const Inputs&... inputs) {
  TILE_ROLL
  for (int i = 0; i < rows; ++i) {
    detail::finish_row<kStreamed>(view.at(view.row(m0 + i), n0), sums + i * stride, columns, f,
                                  detail::values_of_row(inputs, m0 + i, n0)...);
  }
  if constexpr (kStreamed) stream_fence();
}

}  // namespace tile
