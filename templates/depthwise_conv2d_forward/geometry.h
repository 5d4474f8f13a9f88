// Sizes of the depthwise kernel that follow from a config alone.
//
// Compiled into the kernel and into the family, so that footprints have one formula. Plain C++; it
// includes nothing.

#pragma once

namespace kiln::depthwise_conv2d_forward {

// Values of the config's members that name a choice.
enum Layout { kNchw, kNhwc };
// What lies in neighbouring lanes: channels (in NCHW the same pixel of neighbouring planes, which
// costs a transpose), or columns of one plane (NCHW, stride 1 along the columns).
enum LaneAxis { kChannels, kColumns };
enum Stores { kCached, kStreamed };
// What the lanes take after one another: an image's channels, or a channel's images, whose weights
// stay.
enum Order { kImageByImage, kChannelByChannel };

constexpr int round_up(int x, int unit) {
  return (x + unit - 1) / unit * unit;
}

// The members of a config by value.
struct Shape {
  int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_h, pad_w;
  int layout, lanes;
  int block_c, block_h, block_w;
  int window, vectors;
};

// One axis of the convolution: output i reads inputs i stride - pad + tap dilation.
struct Axis {
  int kernel, stride, dilation, pad;
  int block;  // outputs of a block along the axis

  // Inputs that n neighbouring outputs read with the given number of taps.
  constexpr int reach(int n, int taps) const {
    return (n - 1) * stride + (taps - 1) * dilation + 1;
  }
};

// Accumulators of `outputs` neighbouring outputs along the inner axis wait in registers, and the
// weights of up to `taps` taps, while the inputs pass by, each loaded once. The outer axis is a
// loop over its taps.
struct Window {
  Axis outer, inner;
  bool along_rows;  // the inner axis crosses rows: outputs lie one below the other
  int outputs;
  int taps;

  // Taps of the inner axis are cut into chunks of equal length, the first ones a tap longer.
  constexpr int chunks() const { return (inner.kernel + taps - 1) / taps; }
  constexpr int long_taps() const { return (inner.kernel + chunks() - 1) / chunks(); }
  constexpr int long_chunks() const { return inner.kernel - chunks() * (long_taps() - 1); }

  constexpr const Axis& rows() const { return along_rows ? inner : outer; }
  constexpr const Axis& columns() const { return along_rows ? outer : inner; }
};

// More taps than this gain nothing and make long code.
constexpr int kMostTaps = 8;

constexpr Window window_of(const Shape& s, int registers) {
  const Axis rows{s.kernel_h, s.stride_h, s.dilation_h, s.pad_h, s.block_h};
  const Axis columns{s.kernel_w, s.stride_w, s.dilation_w, s.pad_w, s.block_w};
  // With columns in lanes neighbours lie along the rows only; a column kernel reuses nothing else.
  const bool along_rows = s.lanes == kColumns || (s.kernel_w == 1 && s.kernel_h > 1);
  const int free = registers / s.vectors - 1 - s.window;
  const int taps = free < 1 ? 1 : free > kMostTaps ? kMostTaps : free;
  return {along_rows ? columns : rows, along_rows ? rows : columns, along_rows, s.window, taps};
}

// Scratch of a block, in floats: weights [kernel_h][kernel_w] and the bias of the lanes at work;
// the input tile [height][width]; for planes in lanes the outputs, until they are transposed. A
// point of a tile is `point` floats: a pack of channels, or with columns in lanes a single one.
//
// The tile holds zeros where a window can reach beside the image along the inner axis, with columns
// in lanes along both. Every region ends with a spare pack that unmasked stores may spill into.
struct Tile {
  int point;
  int height, width;
  int bias, input, output, floats;  // where the regions begin; the end
};

constexpr Tile tile_of(const Shape& s, const Window& w, int lanes_of_vector) {
  const int pack = s.vectors * lanes_of_vector;
  const bool columns = s.lanes == kColumns;
  const bool planes = s.layout == kNchw && !columns;
  const int out_h = w.along_rows ? round_up(s.block_h, w.outputs) : s.block_h;
  const int out_w = columns        ? round_up(s.block_w, pack)
                    : w.along_rows ? s.block_w
                                   : round_up(s.block_w, w.outputs);
  Tile t{};
  t.point = columns ? 1 : pack;
  t.height = w.rows().reach(out_h, w.rows().kernel);
  t.width = round_up(w.columns().reach(out_w, w.columns().kernel), columns ? pack : 1);
  const int inputs = t.height * t.width * t.point + pack;
  const int outputs = planes ? s.block_h * s.block_w * pack + pack : 0;
  t.bias = round_up(s.kernel_h * s.kernel_w * t.point + pack, pack);
  t.input = t.bias + pack;
  // Planes are put side by side in the input's place before they are streamed.
  t.output = t.input + round_up(inputs > outputs ? inputs : outputs, pack);
  t.floats = t.output + outputs;
  return t;
}

}  // namespace kiln::depthwise_conv2d_forward
