// Runs of a few neighbouring values of a row that one lane holds, and the inputs of element
// functions (tile/contraction.h) as such runs.

#pragma once

#include "tile/contraction.h"
#include "tile/simt/memory.h"

namespace tile {

template <int N>
struct Run {
  float x[N];
};

// The longest run, of lengths that divide `count`, whose elements move as one access.
template <class T>
constexpr int run_length(int count) {
  constexpr int kMost = 16 / (int)sizeof(T);
  return count < kMost ? count : kMost;
}

namespace detail {
// Words of a run of N elements, 0 where it is but one of 16 bits.
template <class T, int N>
inline constexpr int kWords = N * (int)sizeof(T) / 4;
}  // namespace detail

// The N elements from p on, at once where `whole`: all are there, and p is aligned to all of them.
// Elements from `count` on are 0 and not read.
template <int N, class T>
TILE_FN Run<N> load_run(const Target& t, const T* p, int count, bool whole) {
  Run<N> r;
  if constexpr (detail::kWords<T, N> > 0) {
    if (whole) {
      constexpr int kWords = detail::kWords<T, N>;
      const auto w = t.template ldg<Words<kWords>>(p);
      TILE_UNROLL
      for (int i = 0; i < N; ++i) {
        if constexpr (sizeof(T) == 2) {
          r.x[i] = element_value<T>(t, (u16)(w.x[i / 2] >> (i % 2 * 16)));
        } else {
          r.x[i] = element_value<T>(t, w.x[i]);
        }
      }
      return r;
    }
  }
  TILE_UNROLL
  for (int i = 0; i < N; ++i)
    r.x[i] = i < count ? load_element(t, p + i) : 0.f;
  return r;
}

template <int N, class T>
TILE_FN void store_run(const Target& t, T* p, const Run<N>& r, int count, bool whole) {
  if constexpr (detail::kWords<T, N> > 0) {
    if (whole) {
      Words<detail::kWords<T, N>> w;
      TILE_UNROLL
      for (int i = 0; i < N; i += 4 / (int)sizeof(T)) {
        if constexpr (sizeof(T) == 2) {
          w.x[i / 2] = t.template pack<T>(r.x[i], r.x[i + 1]);
        } else {
          w.x[i] = element_bits<T>(t, r.x[i]);
        }
      }
      t.stg(p, w);
      return;
    }
  }
  TILE_UNROLL
  for (int i = 0; i < N; ++i)
    if (i < count) store_element(t, p + i, r.x[i]);
}

// What an input has for row i and the N columns from j on, of which `count` are there.

template <int N>
TILE_FN Run<N> input_run(const Target&, const ForAll& input, i64, i64, int) {
  Run<N> r;
  TILE_UNROLL
  for (int e = 0; e < N; ++e)
    r.x[e] = input.value;
  return r;
}
template <int N, class View>
TILE_FN Run<N> input_run(const Target& t, const ForRows<View>& input, i64 i, i64, int) {
  return input_run<N>(t, ForAll{load_element(t, input.view.row(i))}, i, 0, N);
}
template <int N, class View>
TILE_FN Run<N> input_run(const Target& t, const ForColumns<View>& input, i64, i64 j, int count) {
  const auto* p = input.view.at(input.view.row(0), j);
  return load_run<N>(t, p, count, count >= N && (u64)p % (N * sizeof(*p)) == 0);
}
template <int N, class View>
TILE_FN Run<N> input_run(const Target& t, const ForElements<View>& input, i64 i, i64 j, int count) {
  const auto* p = input.view.at(input.view.row(i), j);
  return load_run<N>(t, p, count, count >= N && rows_aligned(input.view, N * (int)sizeof(*p)));
}
template <int N, int Count, class View>
TILE_FN Run<N> input_run(const Target& t, const ForSums<Count, View>& input, i64 i, i64 j,
                         int count) {
  const auto* first = input.view.at(input.view.row(i), j);
  constexpr int kPart = run_length<typename View::Element>(N);
  constexpr int kBytes = kPart * (int)sizeof(*first);
  const bool aligned =
      rows_aligned(input.view, kBytes) && ((u64)input.stride * sizeof(*first)) % (u64)kBytes == 0;
  Run<N> sum;
  TILE_UNROLL
  for (int e = 0; e < N; e += kPart) {
    TILE_UNROLL
    for (int n = 0; n < Count; ++n) {
      const auto r = load_run<kPart>(t, first + n * input.stride + e, count - e,
                                     aligned && count - e >= kPart);
      TILE_UNROLL
      for (int x = 0; x < kPart; ++x)
        sum.x[e + x] = n == 0 ? r.x[x] : sum.x[e + x] + r.x[x];
    }
  }
  return sum;
}

}  // namespace tile
