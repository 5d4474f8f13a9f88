// Where a block works: its outputs, its lanes, its tile.

#pragma once

#include "depthwise_conv2d_forward/geometry.h"
#include "tile/core.h"

namespace kiln::depthwise_conv2d_forward {

using namespace tile;

// Axes of x and y are [n, c, h, w]; by layout, w or c has stride 1. Those of the weights are
// [c, kernel_h, kernel_w], any strides. bias [c] may be absent.
struct Args {
  Tensor<4> x;
  Tensor<3> weight;
  Tensor<1> bias;
  Tensor<4> y;
  i64 n, c, h, w, out_h, out_w;
};

// Where the plane of a lane begins, from the plane (image, channel) of lane 0 on.
struct Planes {
  i64 image, channel, channels;
  i64 image_stride, channel_stride;
  int last_lane;
  TILE_FN i64 operator()(i64 lane) const {
    const i64 c = channel + lmin(lane, last_lane);
    const i64 images = c < channels ? 0 : c / channels;
    return (image + images) * image_stride + (c - images * channels) * channel_stride;
  }
};

template <class Block>
struct Place {
  using Blk = Block;
  using C = typename Blk::Config;
  using T = typename C::Element;

  static constexpr int W = C::vectors * Blk::kWidth;
  static constexpr bool kNchwLayout = C::layout == kNchw;
  static constexpr bool kColumnLanes = C::lanes == kColumns;
  static constexpr bool kPlaneLanes = kNchwLayout && !kColumnLanes;
  static constexpr Shape kShape = {C::kernel_h,   C::kernel_w,   C::stride_h, C::stride_w,
                                   C::dilation_h, C::dilation_w, C::pad_h,    C::pad_w,
                                   C::layout,     C::lanes,      C::block_c,  C::block_h,
                                   C::block_w,    C::window,     C::vectors};
  static constexpr Window kWindow = window_of(kShape, Blk::kRegisters);
  static constexpr Tile kTile = tile_of(kShape, kWindow, Blk::kWidth);
  static constexpr Axis kRows = kWindow.rows(), kColumns = kWindow.columns();
  static constexpr i64 kPoint = kTile.point, kPitch = kTile.width * kPoint;
  static constexpr bool kByChannel = C::order == kChannelByChannel;
  static constexpr int kLaneStep = kColumnLanes ? 1 : W;

  static_assert(kNchwLayout || !kColumnLanes, "columns can lie in lanes only in NCHW");
  static_assert(!kByChannel || !kColumnLanes, "columns in lanes go image by image");
  static_assert(C::stride_w == 1 || !kColumnLanes, "columns in lanes need stride 1 along them");

  TILE_FN Place(Blk& block, const Args& args) : blk(block), a(args) {
    const i64 row_blocks = ceil_div(a.out_h, C::block_h);
    i0 = blk.template id<1>() % row_blocks * C::block_h;
    j0 = blk.template id<1>() / row_blocks * C::block_w;
    rows = lmin(C::block_h, a.out_h - i0);
    columns = lmin(C::block_w, a.out_w - j0);
    top = i0 * kRows.stride - kRows.pad;
    left = j0 * kColumns.stride - kColumns.pad;
    const i64 lanes = kByChannel ? ceil_div(a.c, W) * W * a.n : kNchwLayout ? a.n * a.c : a.c;
    first_lane = blk.template id<0>() * C::block_c;
    lane_end = lmin(first_lane + C::block_c, lanes);
  }

  // Takes the channels from `lane` on into the lanes.
  TILE_FN void enter(i64 lane) {
    if constexpr (kByChannel) {
      const i64 pack = lane / W;
      image = pack % a.n;
      channel = pack / a.n * W;
      count = lmin(W, a.c - channel);
      new_channels = lane == first_lane || image == 0;
    } else {
      image = kNchwLayout ? lane / a.c : blk.template id<2>();
      channel = kNchwLayout ? lane - image * a.c : lane;
      count = lmin(kLaneStep, lane_end - lane);
      new_channels = true;
    }
    x_lanes = blk.template lane_offsets<W>(planes(a.x));
    y_lanes = blk.template lane_offsets<W>(planes(a.y));
  }

  // Lanes beyond the last channel repeat it.
  TILE_FN int last_lane() const { return kColumnLanes ? 0 : (int)count - 1; }
  TILE_FN i64 channel_of(int l) const {
    const i64 c = channel + imin(l, last_lane());
    return c < a.c ? c : c % a.c;
  }
  TILE_FN Planes planes(const Tensor<4>& t) const {
    return {image, channel, a.c, t.stride[0], t.stride[1], last_lane()};
  }

  Blk& blk;
  const Args& a;
  i64 i0, rows, j0, columns;  // outputs of the block
  i64 top, left;              // input coordinates of the tile's corner
  // Lanes of the block, numbered by `order`: channels; in NCHW planes (n, c); or packs of channels,
  // each with all its images.
  i64 first_lane, lane_end;
  i64 image, channel, count;  // of the first lane now, and how many there are
  bool new_channels;          // since the last enter()
  typename Blk::template LaneOffsets<W, Planes> x_lanes, y_lanes;
};

}  // namespace kiln::depthwise_conv2d_forward
