#include "depthwise_conv2d_forward/problem.h"

#include "templates/activation.h"
#include "templates/fields.h"

namespace kiln::depthwise_conv2d_forward {

namespace {

// Kernels are unrolled and tiles sized when compiled; these bounds keep their products small.
constexpr double kMostTaps = 255, kMostStep = 16, kMostPad = 255;

Field static_field(std::string name, std::string documentation, std::optional<Value> default_value,
                   double minimum, double maximum, std::vector<std::string> aliases = {},
                   std::string same_as = {}) {
  return {.name = std::move(name),
          .documentation = std::move(documentation),
          .default_value = std::move(default_value),
          .minimum = minimum,
          .maximum = maximum,
          .aliases = std::move(aliases),
          .same_as = std::move(same_as)};
}

std::vector<Field> fields() {
  const Bucketing counts{.exact_up_to = 8, .per_octave = 2};
  // Maps of up to 56 occur as 7, 14, 28, 56 and tile exactly.
  const Bucketing edges{.exact_up_to = 56, .per_octave = 4};
  return {
      size_field("batch", "images", 1 << 20, counts, {"N", "n"}),
      size_field("channels", "channels, each convolved with its own kernel", 1 << 20,
                 {.exact_up_to = 64, .per_octave = 4}, {"C", "c"}),
      size_field("height", "rows of the input", 1 << 20, edges, {"H", "h"}),
      size_field("width", "columns of the input", 1 << 20, edges, {"W", "w"}),
      static_field("kernel_h", "rows of the kernel", {}, 1, kMostTaps, {"kh"}),
      static_field("kernel_w", "columns of the kernel", {}, 1, kMostTaps, {"kw"}),
      static_field("stride_h", "input rows between neighbouring outputs", int64_t{1}, 1, kMostStep,
                   {"stride"}),
      static_field("stride_w", "input columns between neighbouring outputs; 0: as stride_h",
                   int64_t{0}, 0, kMostStep, {}, "stride_h"),
      static_field("dilation_h", "input rows between neighbouring taps", int64_t{1}, 1, kMostStep,
                   {"dilation"}),
      static_field("dilation_w", "input columns between neighbouring taps; 0: as dilation_h",
                   int64_t{0}, 0, kMostStep, {}, "dilation_h"),
      static_field("pad_h", "rows of zeros above and below the input", int64_t{0}, 0, kMostPad),
      static_field("pad_w", "columns of zeros left and right of the input", int64_t{0}, 0,
                   kMostPad),
      {.name = "layout",
       .type = FieldType::kChoice,
       .documentation = "order of the axes of x and y in memory; the last has stride 1",
       .default_value = std::string("NCHW"),
       .choices = {"NCHW", "NHWC"}},
      dtype_field("element type of all tensors; sums are in f32"),
      activation_field("function of the biased sum"),
      {.name = "bias",
       .type = FieldType::kBoolean,
       .documentation = "whether a bias tensor may be given",
       .default_value = true},
      {.name = "op",
       .type = FieldType::kChoice,
       .documentation = "direction of the convolution; keeps rows of other directions out",
       .default_value = std::string("fwd"),
       .choices = {"fwd"}},
  };
}

}  // namespace

const Schema& depthwise_schema() {
  static const Schema schema(
      "depthwise_conv2d_forward", 1,
      "y = activation(b + x convolved with w), each channel with its own kernel and zeros outside "
      "of x (cross-correlation, as frameworks define it). Tensors: x [batch, channels, height, "
      "width], w [channels, kernel_h, kernel_w] with any strides, b [channels], y [batch, "
      "channels, out_h, out_w]. out = floor((in + 2 pad - dilation (kernel - 1) - 1) / stride) + "
      "1.",
      fields(),
      {"id", "model", "variant", "Ho", "Wo", "blocks_in_model", "macs", "min_bytes",
       "flop_per_byte", "source"});
  return schema;
}

DepthwiseProblem::DepthwiseProblem(const Problem& problem)
    : batch(problem.integer("batch")),
      channels(problem.integer("channels")),
      height(problem.integer("height")),
      width(problem.integer("width")),
      kernel_h(problem.integer("kernel_h")),
      kernel_w(problem.integer("kernel_w")),
      stride_h(problem.integer("stride_h")),
      stride_w(problem.integer("stride_w")),
      dilation_h(problem.integer("dilation_h")),
      dilation_w(problem.integer("dilation_w")),
      pad_h(problem.integer("pad_h")),
      pad_w(problem.integer("pad_w")),
      layout(problem.choice("layout") == "NHWC" ? kNhwc : kNchw),
      activation(activation_of(problem)),
      dtype(problem.dtype()),
      bias(problem.boolean("bias")) {}

}  // namespace kiln::depthwise_conv2d_forward
