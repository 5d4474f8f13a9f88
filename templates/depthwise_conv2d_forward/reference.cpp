#include "depthwise_conv2d_forward/reference.h"

#include <cmath>
#include <vector>

#include "templates/activation.h"

namespace kiln::depthwise_conv2d_forward {

void reference_row(const DepthwiseProblem& p, std::span<const HostTensor> tensors, int64_t unit,
                   ReferenceSink& sink) {
  const int64_t out_h = p.out_h(), out_w = p.out_w();
  const int64_t i = unit % out_h, c = unit / out_h % p.channels, n = unit / out_h / p.channels;
  const HostTensor& x = find_tensor(tensors, "x");
  const HostTensor& w = find_tensor(tensors, "w");
  const HostTensor& y = find_tensor(tensors, "y");
  double bias = 0;
  if (p.bias) {
    const HostTensor& b = find_tensor(tensors, "b");
    if (b.data != nullptr) bias = b.at(c * b.strides[0]);
  }

  std::vector<double> sum(size_t(out_w), bias), magnitude(size_t(out_w), std::abs(bias));
  std::vector<double> row(size_t(p.width));
  for (int64_t r = 0; r < p.kernel_h; ++r) {
    const int64_t x_row = i * p.stride_h - p.pad_h + r * p.dilation_h;
    if (x_row < 0 || x_row >= p.height) continue;
    const int64_t start = n * x.strides[0] + c * x.strides[1] + x_row * x.strides[2];
    for (int64_t j = 0; j < p.width; ++j)
      row[size_t(j)] = x.at(start + j * x.strides[3]);
    for (int64_t s = 0; s < p.kernel_w; ++s) {
      const double weight = w.at(c * w.strides[0] + r * w.strides[1] + s * w.strides[2]);
      for (int64_t j = 0; j < out_w; ++j) {
        const int64_t column = j * p.stride_w - p.pad_w + s * p.dilation_w;
        if (column < 0 || column >= p.width) continue;
        const double product = weight * row[size_t(column)];
        sum[size_t(j)] += product;
        magnitude[size_t(j)] += std::abs(product);
      }
    }
  }

  const double own = p.dtype == Dtype::kF32 ? 0 : unit_roundoff(p.dtype);
  const double least = p.dtype == Dtype::kF16 ? 0x1p-25 : 1e-37;  // rounding of subnormal values
  for (int64_t j = 0; j < out_w; ++j) {
    const double before = sum[size_t(j)], value = activate(p.activation, before);
    double error = double(p.taps() + 4) * unit_roundoff(Dtype::kF32) * magnitude[size_t(j)];
    error = activation_error(p.activation, before, error);
    sink.expect("y", n * y.strides[0] + c * y.strides[1] + i * y.strides[2] + j * y.strides[3],
                value, error + own * (std::abs(value) + error) + least);
  }
}

std::string depthwise_tolerance() {
  return "A sum of K = kernel_h kernel_w products and the bias in f32 errs by at most (K + 4) u "
         "sum of |w x|, u = 2^-24, in whatever order it is taken. " +
         activation_error_derivation() + " 16-bit types add one rounding to the type.";
}

}  // namespace kiln::depthwise_conv2d_forward
