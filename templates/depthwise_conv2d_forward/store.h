// Brings a place's outputs from scratch to y.

#pragma once

#include "depthwise_conv2d_forward/place.h"

namespace kiln::depthwise_conv2d_forward {

// Planes, or one plane with columns in lanes.
template <class P>
TILE_FN void store_planes(const P& p) {
  using C = typename P::C;
  constexpr bool kStream = C::stores == kStreamed;
  constexpr int W = P::W;
  auto& blk = p.blk;
  const auto y = blk.template output<typename P::T>(p.a.y) + (p.i0 * p.a.y.stride[2] + p.j0);
  const i64 row_stride = p.a.y.stride[2];
  if constexpr (P::kPlaneLanes && !kStream) {
    blk.template store_planes<W>(y, p.y_lanes, p.count, p.rows, p.columns, row_stride,
                                 P::kTile.output);
  } else {
    const i64 run = p.rows * p.columns;
    i64 from = P::kTile.output;
    if constexpr (P::kPlaneLanes) {
      blk.template transpose_planes<W>(P::kTile.input, p.count, run, from);
      blk.sync();
      from = P::kTile.input;
    }
    // Rows and planes without gaps make one run.
    const bool rows_join = row_stride == p.columns || p.rows == 1;
    const bool planes_join = rows_join && p.a.y.stride[1] == run &&
                             (p.a.y.stride[0] == p.a.c * run || p.channel + p.count <= p.a.c);
    const i64 planes = planes_join ? 1 : p.count, lines = rows_join ? 1 : p.rows;
    const i64 length = planes_join ? p.count * run : rows_join ? run : p.columns;
    blk.for_each(planes, lines, [&](i64 l, i64 r) {
      blk.template store_run<kStream>(y, p.y_lanes.of[l] + r * row_stride,
                                      from + l * run + r * p.columns, length);
    });
  }
}

// Pixels of the block's channels.
template <class P>
TILE_FN void store_pixels(const P& p) {
  using C = typename P::C;
  constexpr bool kStream = C::stores == kStreamed;
  constexpr int W = P::W;
  auto& blk = p.blk;
  const i64(&stride)[4] = p.a.y.stride;
  const i64 channels = p.lane_end - p.first_lane, row = p.columns * channels;
  const i64 pitch = row + P::kTile.row_slack;
  const auto y = blk.template output<typename P::T>(p.a.y) +
                 (p.image * stride[0] + p.i0 * stride[2] + p.j0 * stride[3] + p.first_lane);
  if (stride[3] == channels) {
    const bool join = stride[2] == pitch;
    blk.for_each(join ? 1 : p.rows, [&](i64 r) {
      blk.template store_run<kStream>(y, r * stride[2], P::kTile.output + r * pitch,
                                      join ? p.rows * row : row);
    });
  } else {
    blk.for_each(p.rows, p.columns, [&](i64 r, i64 s) {
      const i64 to = r * stride[2] + s * stride[3];
      const i64 from = P::kTile.output + r * pitch + s * channels;
      blk.for_each(ceil_div(channels, W), [&](i64 v) {
        const auto pack = blk.template get<W>(from + v * W);
        if (kStream && v * W + W <= channels) {
          blk.template stream<W>(y, to + v * W, pack);
        } else {
          blk.template store<W>(y, to + v * W, pack, channels - v * W);
        }
      });
    });
  }
}

}  // namespace kiln::depthwise_conv2d_forward
