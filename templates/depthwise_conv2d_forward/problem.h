// A depthwise convolution with its fields by name, and the sizes that follow from them.

#pragma once

#include <cstdint>

#include "core/problem.h"
#include "core/schema.h"
#include "depthwise_conv2d_forward/geometry.h"
#include "templates/tile/activation.h"

namespace kiln::depthwise_conv2d_forward {

const Schema& depthwise_schema();

struct DepthwiseProblem {
  int64_t batch, channels, height, width;
  int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_h, pad_w;
  Layout layout;
  tile::Activation activation;
  Dtype dtype;
  bool bias;

  explicit DepthwiseProblem(const Problem& problem);

  // Inputs that the taps of one output span.
  int64_t span_h() const { return dilation_h * (kernel_h - 1) + 1; }
  int64_t span_w() const { return dilation_w * (kernel_w - 1) + 1; }
  // Not positive where the padded input is smaller than the span.
  int64_t out_h() const { return outputs(height + 2 * pad_h - span_h(), stride_h); }
  int64_t out_w() const { return outputs(width + 2 * pad_w - span_w(), stride_w); }
  int64_t taps() const { return kernel_h * kernel_w; }
  int64_t planes() const { return batch * channels; }

 private:
  static int64_t outputs(int64_t room, int64_t stride) { return room < 0 ? 0 : room / stride + 1; }
};

}  // namespace kiln::depthwise_conv2d_forward
