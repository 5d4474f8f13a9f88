// The sums: register windows over the staged tile.

#pragma once

#include "depthwise_conv2d_forward/place.h"
#include "tile/activate.h"

namespace kiln::depthwise_conv2d_forward {

// acc[t] += sum over s < Taps of x[t stride + s dilation] w[s] along the inner axis; `x` and `w`
// are where position and tap 0 lie in scratch.
template <int Taps, class P, class Acc>
TILE_FN void slide(const P& p, Acc& acc, i64 w, i64 x) {
  using C = typename P::C;
  constexpr int W = P::W;
  constexpr Axis kAxis = P::kWindow.inner;
  constexpr i64 kTapPitch = (P::kWindow.along_rows ? C::kernel_w : 1) * P::kPoint;
  constexpr i64 kInputPitch = P::kWindow.along_rows ? P::kPitch : P::kPoint;
  Pack<W> weight[Taps];
  TILE_UNROLL
  for (int s = 0; s < Taps; ++s) {
    if constexpr (P::kColumnLanes) {
      weight[s] = Pack<W>::splat(p.blk.get_scalar(w + s * kTapPitch));
    } else {
      weight[s] = p.blk.template get<W>(w + s * kTapPitch);
    }
  }
  TILE_UNROLL
  for (int u = 0; u < kAxis.reach(C::window, Taps); ++u) {
    const Pack<W> v = p.blk.template get<W>(x + u * kInputPitch);
    TILE_UNROLL
    for (int s = 0; s < Taps; ++s) {
      const int t = u - s * kAxis.dilation;
      if (t >= 0 && t % kAxis.stride == 0 && t / kAxis.stride < C::window)
        acc[t / kAxis.stride].multiply_add(v, weight[s]);
    }
  }
}

// Taps [first, first + Taps) of the inner axis and tap r of the outer. `inner` is the image
// coordinate that tap 0 of output 0 reads, `x` where it lies in scratch.
template <int Taps, class P, class Acc>
TILE_FN void add_chunk(const P& p, Acc& acc, i64 r, int first, i64 inner, i64 x) {
  using C = typename P::C;
  constexpr Window kWindow = P::kWindow;
  constexpr i64 kInputPitch = kWindow.along_rows ? P::kPitch : P::kPoint;
  if constexpr (kWindow.chunks() > 1) {  // large kernels: whole chunks may lie beside the image
    const i64 begin = inner + first * kWindow.inner.dilation;
    const i64 end = begin + kWindow.inner.reach(C::window, Taps);
    if (end <= 0 || begin >= (kWindow.along_rows ? p.a.h : p.a.w)) return;
  }
  const i64 tap = kWindow.along_rows ? first * C::kernel_w + r : r * C::kernel_w + first;
  slide<Taps>(p, acc, tap * P::kPoint, x + first * kWindow.inner.dilation * kInputPitch);
}

// Fetches into the cache a share of what the block's next lanes will stage, and after the last
// those of the next block, as far as its place can be told.
template <class P>
TILE_FN void prefetch_next(const P& p, i64 row, i64 column) {
  using C = typename P::C;
  const auto x = p.blk.template input<typename P::T>(p.a.x);
  const i64(&stride)[4] = p.a.x.stride;
  const i64 first_column = lmax(0, p.left + column * P::kColumns.stride);
  if constexpr (P::kPlaneLanes) {
    const i64 at = lmax(0, p.top + row * P::kRows.stride) * stride[2] + first_column +
                   (P::kByChannel ? stride[0] : P::kLaneStep * stride[1]);
    p.blk.for_each(P::W, [&](i64 l) { p.blk.prefetch(x, p.x_lanes(l) + at); });
  } else if constexpr (P::kColumnLanes) {
    const i64 at = p.x_lanes(0) + lmax(0, p.top + row * P::kRows.stride) * stride[2] +
                   first_column + stride[1];
    TILE_UNROLL
    for (int t = 0; t < C::window; ++t)
      p.blk.prefetch(x, at + t * stride[2]);
  } else {
    // The tile has more rows than the block has outputs.
    const i64 rows = lmin(P::kTile.height, p.a.h);
    const i64 next = P::kByChannel        ? stride[0]
                     : p.lane_end < p.a.c ? C::block_c
                                          : C::block_h * P::kRows.stride * stride[2];
    const i64 at = p.x_lanes(0) + next + lmax(0, p.top) * stride[2] + first_column * stride[3];
    const int lines = P::kWindow.along_rows ? 1 : C::window * C::stride_w;
    const i64 share = P::kWindow.along_rows ? C::window : 1;
    const i64 first = row * rows / p.rows, last = lmin(row + share, p.rows) * rows / p.rows;
    p.blk.for_each(last - first, [&](i64 r) {
      TILE_UNROLL
      for (int t = 0; t < lines; ++t)
        p.blk.prefetch(x, at + (first + r) * stride[2] + t * stride[3]);
    });
  }
}

// The accumulators to y; planes in lanes wait in scratch for their transpose.
template <class P, class Acc>
TILE_FN void put_outputs(const P& p, const Acc& acc, i64 row, i64 column) {
  using C = typename P::C;
  constexpr int W = P::W;
  constexpr bool kAlongRows = P::kWindow.along_rows;
  const auto each = [&](i64 n, auto put) {
    TILE_UNROLL
    for (int t = 0; t < C::window; ++t)
      if (t < n) put(t, acc[t].map([](auto v) { return activate<C::activation>(v); }));
  };
  const i64 n = lmin(C::window, kAlongRows ? p.rows - row : p.columns - column);
  if constexpr (P::kPlaneLanes) {
    const i64 step = (kAlongRows ? p.columns : 1) * W;
    const i64 to = P::kTile.output + (row * p.columns + column) * W;
    const auto put = [&](int t, const Pack<W>& v) { p.blk.template put<W>(to + t * step, v); };
    if (n == C::window) {
      each(C::window, put);
    } else {
      each(n, put);
    }
  } else {
    const auto y = p.blk.template output<typename P::T>(p.a.y);
    const i64(&stride)[4] = p.a.y.stride;
    const i64 to = p.y_lanes(0) + (p.i0 + row) * stride[2] + (p.j0 + column) * stride[3];
    const i64 step = stride[kAlongRows ? 2 : 3];
    const i64 lanes = P::kColumnLanes ? p.columns - column : p.count;
    const auto store = [&](int t, const Pack<W>& v) {
      if constexpr (C::stores == kStreamed) {
        p.blk.template stream<W>(y, to + t * step, v);
      } else {
        p.blk.template store<W>(y, to + t * step, v);
      }
    };
    if (lanes >= W && n == C::window) {
      each(C::window, store);
    } else {
      each(n,
           [&](int t, const Pack<W>& v) { p.blk.template store<W>(y, to + t * step, v, lanes); });
    }
  }
}

// The window whose first output is (row, column) of the block.
template <class P>
TILE_FN void compute_window(const P& p, i64 row, i64 column) {
  using C = typename P::C;
  constexpr int W = P::W;
  constexpr Window kWindow = P::kWindow;
  constexpr Axis kOuter = kWindow.outer;
  constexpr bool kAlongRows = kWindow.along_rows;
  // Image coordinates that tap (0, 0) of the first output reads.
  const i64 x_row = p.top + row * P::kRows.stride;
  const i64 x_column = p.left + column * P::kColumns.stride;
  const i64 x = P::kTile.input + (x_row - p.top) * P::kPitch + (x_column - p.left) * P::kPoint;
  if constexpr (C::prefetch) prefetch_next(p, row, column);

  Pack<W> acc[C::window];
  TILE_UNROLL
  for (int t = 0; t < C::window; ++t)
    acc[t] = p.blk.template get<W>(P::kTile.bias);

  // Taps of the outer axis that lie in the image; lanes that hold columns need them all.
  i64 r = 0, r_end = kOuter.kernel;
  if constexpr (!P::kColumnLanes) {
    const i64 first = kAlongRows ? x_column : x_row, size = kAlongRows ? p.a.w : p.a.h;
    r = first >= 0 ? 0 : ceil_div(-first, kOuter.dilation);
    r_end = first >= size ? 0 : lmin(r_end, ceil_div(size - first, kOuter.dilation));
  }
  constexpr int kLong = kWindow.long_taps(), kLongChunks = kWindow.long_chunks();
  constexpr i64 kOuterPitch = (kAlongRows ? P::kPoint : P::kPitch) * kOuter.dilation;
  const i64 inner = kAlongRows ? x_row : x_column;
  TILE_ROLL
  for (; r < r_end; ++r) {
    TILE_ROLL
    for (int q = 0; q < kLongChunks; ++q)
      add_chunk<kLong>(p, acc, r, q * kLong, inner, x + r * kOuterPitch);
    if constexpr (kLongChunks < kWindow.chunks()) {
      TILE_ROLL
      for (int q = kLongChunks; q < kWindow.chunks(); ++q)
        add_chunk<kLong - 1>(p, acc, r, q * (kLong - 1) + kLongChunks, inner, x + r * kOuterPitch);
    }
  }

  put_outputs(p, acc, row, column);
}

template <class P>
TILE_FN void compute(const P& p) {
  constexpr int kOutputs = P::C::window;
  if constexpr (P::kColumnLanes) {
    p.blk.for_each(ceil_div(p.rows, kOutputs), ceil_div(p.columns, P::W), [&](i64 r, i64 v) {
      compute_window(p, r * kOutputs, lmax(0, lmin(v * P::W, p.columns - P::W)));
    });
  } else if constexpr (P::kWindow.along_rows) {
    p.blk.for_each(ceil_div(p.rows, kOutputs), p.columns,
                   [&](i64 r, i64 s) { compute_window(p, r * kOutputs, s); });
  } else {
    p.blk.for_each(p.rows, ceil_div(p.columns, kOutputs),
                   [&](i64 r, i64 s) { compute_window(p, r, s * kOutputs); });
  }
}

}  // namespace kiln::depthwise_conv2d_forward
