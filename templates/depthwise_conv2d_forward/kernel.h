// Depthwise 2-d convolution, forward:
//
//   y[n,c,i,j] = f(b[c] + sum over r < kernel_h, s < kernel_w of w[c,r,s]
//                  x[n, c, i stride_h - pad_h + r dilation_h, j stride_w - pad_w + s dilation_w])
//
// with zeros outside of x, and sums in f32 whatever the element type.
//
// A block owns block_h x block_w outputs of block_c channels (in NCHW: planes, which go on from
// image to image). It takes as many of them as fill its lanes and
//
//   stages their weights and the input tile as f32, channels or columns side by side (stage.h),
//   slides register windows over the tile                                           (window.h),
//   transposes planes back on their way to y                                         (store.h).
//
// Members of the config: Element, layout, activation, and of each axis kernel, stride, dilation and
// pad; then, free to choose:
//
//   lanes      what lies in neighbouring lanes: channels | columns
//   order      image by image | channel by channel, so that weights stay in scratch
//   block_c, block_h, block_w
//   window     outputs that a register window holds: more reuse weights better, and need registers
//   vectors    of a pack of channels
//   prefetch   whether windows prefetch the input of the next lanes (NHWC: of the next block)
//   stores     cached | streamed past the cache
//
// Grid: x ceil(lanes / block_c) with lanes as in place.h, y ceil(out_w / block_w)
// ceil(out_h / block_h) with rows fastest, z images (NHWC image by image, else 1).

#pragma once

#include "depthwise_conv2d_forward/stage.h"
#include "depthwise_conv2d_forward/store.h"
#include "depthwise_conv2d_forward/window.h"

namespace kiln::depthwise_conv2d_forward {

template <class Blk>
TILE_FN void run_block(Blk& blk, const Args& a) {
  using P = Place<Blk>;
  P p(blk, a);
  TILE_ROLL
  for (i64 lane = p.first_lane; lane < p.lane_end; lane += P::kLaneStep) {
    p.enter(lane);
    if (p.new_channels) stage_weights(p);
    stage_input(p);
    blk.sync();
    compute(p);
    blk.sync();
    if constexpr (P::kPlaneLanes) {
      store_planes(p);
      blk.sync();
    }
  }
  if constexpr (P::C::stores == kStreamed) blk.publish();
}

struct Forward {
  static constexpr const char* name = "forward";
  using Args = depthwise_conv2d_forward::Args;
  using Work = tile::Items;

  template <class Blk>
  static constexpr u32 scratch_bytes() {
    return Place<Blk>::kTile.floats * 4;
  }
  template <class Blk>
  static TILE_FN void run(Blk& blk, const Args& a) {
    run_block(blk, a);
  }
};

// For problems that never have a bias.
struct ForwardUnbiased {
  static constexpr const char* name = "forward_unbiased";
  struct Args {
    Tensor<4> x;
    Tensor<3> weight;
    Tensor<4> y;
    i64 n, c, h, w, out_h, out_w;
  };
  using Work = tile::Items;

  template <class Blk>
  static constexpr u32 scratch_bytes() {
    return Forward::scratch_bytes<Blk>();
  }
  template <class Blk>
  static TILE_FN void run(Blk& blk, const Args& a) {
    run_block(blk, {a.x, a.weight, {}, a.y, a.n, a.c, a.h, a.w, a.out_h, a.out_w});
  }
};

}  // namespace kiln::depthwise_conv2d_forward
