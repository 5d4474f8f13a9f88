// Copies weights and input of a place into scratch, as f32.

#pragma once

#include "depthwise_conv2d_forward/place.h"

namespace kiln::depthwise_conv2d_forward {

template <class P>
TILE_FN void stage_weights(const P& p) {
  using C = typename P::C;
  using T = typename P::T;
  constexpr int W = P::W;
  constexpr int kTaps = C::kernel_h * C::kernel_w;
  auto& blk = p.blk;
  const i64(&stride)[3] = p.a.weight.stride;
  const auto weight = blk.template input<T>(p.a.weight);
  const bool dense = stride[2] == 1 && stride[1] == C::kernel_w;
  if (dense && P::kColumnLanes) {
    const i64 from = p.channel * stride[0];
    blk.for_each(ceil_div(kTaps, W), [&](i64 i) {
      blk.template put<W>(i * W, blk.template load<W>(weight, from + i * W, kTaps - i * W));
    });
  } else if (dense) {
    const auto lanes =
        blk.template lane_offsets<W>([&](int l) { return p.channel_of(l) * stride[0]; });
    blk.template load_planes<W>(0, i64(kTaps) * W, weight, lanes, 1, kTaps, kTaps);
  } else {
    blk.for_each(kTaps, P::kPoint, [&](i64 tap, i64 l) {
      const i64 r = tap / C::kernel_w, s = tap % C::kernel_w;
      blk.put_scalar(tap * P::kPoint + l,
                     blk.load_scalar(
                         weight, p.channel_of((int)l) * stride[0] + r * stride[1] + s * stride[2]));
    });
  }
  const auto bias = blk.template input<T>(p.a.bias);
  const bool biased = p.a.bias.data != nullptr;
  blk.for_each(W, [&](i64 l) {
    blk.put_scalar(P::kTile.bias + l,
                   biased ? blk.load_scalar(bias, p.channel_of((int)l) * p.a.bias.stride[0]) : 0.f);
  });
}

// Zeros at tile columns [first, last) of the input rows [row, row_end).
template <class P>
TILE_FN void clear_columns(const P& p, i64 row, i64 row_end, i64 first, i64 last) {
  if (first >= last) return;
  p.blk.for_each(row_end - row, [&](i64 r) {
    p.blk.template clear<P::W>(P::kTile.input + (row - p.top + r) * P::kPitch + first * P::kPoint,
                               (last - first) * P::kPoint);
  });
}

template <class P>
TILE_FN void stage_input(const P& p) {
  using C = typename P::C;
  using T = typename P::T;
  constexpr int W = P::W;
  auto& blk = p.blk;
  const auto x = blk.template input<T>(p.a.x);
  const i64 row_stride = p.a.x.stride[2], column_stride = p.a.x.stride[3];

  // Rows that the outputs reach, and those of them in the image.
  const i64 outputs = P::kWindow.along_rows ? ceil_div(p.rows, C::window) * C::window : p.rows;
  const i64 bottom =
      p.top + (outputs - 1) * P::kRows.stride + (P::kRows.kernel - 1) * P::kRows.dilation + 1;
  const i64 row = lmin(lmax(p.top, 0), p.a.h), row_end = lmax(row, lmin(bottom, p.a.h));
  const i64 column = lmin(lmax(p.left, 0), p.a.w);
  const i64 width = lmax(0, lmin(p.left + P::kTile.width, p.a.w) - column);
  const i64 margin = column - p.left;

  if constexpr (P::kWindow.along_rows) {
    clear_columns(p, p.top, row, 0, P::kTile.width);
    clear_columns(p, row_end, bottom, 0, P::kTile.width);
  }
  constexpr bool kMargins = P::kColumnLanes || !P::kWindow.along_rows;
  // Before the image: what they spill into its columns it overwrites.
  if constexpr (kMargins) {
    clear_columns(p, row, row_end, 0, lmin(margin, P::kTile.width));
    clear_columns(p, row, row_end, margin + width, P::kTile.width);
  }

  const i64 to = P::kTile.input + (row - p.top) * P::kPitch + margin * P::kPoint;
  const i64 from = row * row_stride + column * column_stride;
  if (width > 0) {
    if constexpr (P::kPlaneLanes) {
      blk.template load_planes<W>(to, P::kPitch, x + from, p.x_lanes, row_end - row, width,
                                  row_stride);
    } else if constexpr (P::kColumnLanes) {
      blk.template load_rows<W>(to, P::kPitch, x, p.x_lanes(0) + from, row_end - row, width,
                                row_stride);
    } else {
      blk.template load_points<W>(to, P::kPitch, x, p.x_lanes(0) + from, row_end - row, width,
                                  row_stride, column_stride, p.count, p.a.c);
    }
  }
}

}  // namespace kiln::depthwise_conv2d_forward
