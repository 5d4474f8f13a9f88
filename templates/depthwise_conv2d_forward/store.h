// Brings the outputs of planes in lanes from scratch to y.

#pragma once

#include "depthwise_conv2d_forward/place.h"

namespace kiln::depthwise_conv2d_forward {

template <class P>
TILE_FN void store_planes(const P& p) {
  using C = typename P::C;
  constexpr int W = P::W;
  auto& blk = p.blk;
  const auto y = blk.template output<typename P::T>(p.a.y) + (p.i0 * p.a.y.stride[2] + p.j0);
  const i64 row_stride = p.a.y.stride[2];
  if constexpr (C::stores == kCached) {
    blk.template store_planes<W>(y, p.y_lanes, p.count, p.rows, p.columns, row_stride,
                                 P::kTile.output);
  } else {
    // Only whole lines can pass the cache by, so the planes are put side by side first. Rows and
    // planes without gaps make one run.
    const i64 run = p.rows * p.columns;
    blk.template transpose_planes<W>(P::kTile.input, p.count, run, P::kTile.output);
    blk.sync();
    const bool rows_join = row_stride == p.columns || p.rows == 1;
    const bool planes_join = rows_join && p.a.y.stride[1] == run &&
                             (p.a.y.stride[0] == p.a.c * run || p.channel + p.count <= p.a.c);
    const i64 planes = planes_join ? 1 : p.count, lines = rows_join ? 1 : p.rows;
    const i64 length = planes_join ? p.count * run : rows_join ? run : p.columns;
    blk.for_each(planes, lines, [&](i64 l, i64 r) {
      blk.stream_run(y, p.y_lanes(l) + r * row_stride, P::kTile.input + l * run + r * p.columns,
                     length);
    });
  }
}

}  // namespace kiln::depthwise_conv2d_forward
