// The family depthwise_conv2d_forward: depthwise 2-d convolution, forward.

#include "core/family.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/random.h"
#include "depthwise_conv2d_forward/problem.h"
#include "depthwise_conv2d_forward/reference.h"
#include "depthwise_conv2d_forward/search_space.h"

namespace kiln::depthwise_conv2d_forward {

namespace {

std::string number(int64_t n) {
  return std::to_string(n);
}

bool product_fits(std::initializer_list<int64_t> factors) {
  int64_t product = 1;
  for (int64_t f : factors) {
    if (__builtin_mul_overflow(product, f, &product)) return false;
  }
  return product <= std::numeric_limits<int64_t>::max() / 64;
}

// Outputs along an axis, as an expression.
std::string outputs(const char* input, int64_t pad, int64_t span, int64_t stride) {
  return "ceil_div(" + std::string(input) + " + " + number(2 * pad) + " - " + number(span - 1) +
         ", " + number(stride) + ")";
}

class DepthwiseForward final : public Family {
 public:
  const Schema& schema() const override { return depthwise_schema(); }

  Status check(const Problem& problem) const override {
    const DepthwiseProblem p(problem);
    if (p.out_h() < 1) {
      return invalid_field("height", number(p.height),
                           "at least " + number(p.span_h() - 2 * p.pad_h) +
                               ", what the kernel spans less the padding");
    }
    if (p.out_w() < 1) {
      return invalid_field("width", number(p.width),
                           "at least " + number(p.span_w() - 2 * p.pad_w) +
                               ", what the kernel spans less the padding");
    }
    if (!product_fits({p.batch, p.channels, p.height, p.width}) ||
        !product_fits({p.batch, p.channels, p.out_h(), p.out_w()})) {
      return invalid_field("batch", number(p.batch), "tensors below 2^57 elements");
    }
    return absl::OkStatus();
  }

  Space space(const Problem& problem, const Target& target) const override {
    return depthwise_space(DepthwiseProblem(problem), target);
  }
  Config default_config(const Problem& problem, const Target& target) const override {
    return depthwise_default(DepthwiseProblem(problem), target);
  }

  KernelSource source(const Problem& problem, const Config& config, const Target&) const override {
    const DepthwiseProblem p(problem);
    const std::string here = "kiln::depthwise_conv2d_forward::";
    KernelSource source;
    source.header = "depthwise_conv2d_forward/kernel.h";
    source.config = {
        {"type", "Element", "tile::" + std::string(name_of(p.dtype))},
        {"int", "kernel_h", number(p.kernel_h)},
        {"int", "kernel_w", number(p.kernel_w)},
        {"int", "stride_h", number(p.stride_h)},
        {"int", "stride_w", number(p.stride_w)},
        {"int", "dilation_h", number(p.dilation_h)},
        {"int", "dilation_w", number(p.dilation_w)},
        {"int", "pad_h", number(p.pad_h)},
        {"int", "pad_w", number(p.pad_w)},
        {"int", "layout", here + (p.layout == kNchw ? "kNchw" : "kNhwc")},
        {"int", "activation",
         here + std::array{"kNone", "kRelu", "kGelu", "kSilu"}[size_t(p.activation)]},
        {"int", "lanes", here + (config.at("lanes") == kColumns ? "kColumns" : "kChannels")},
        {"int", "vectors", number(config.at("vectors"))},
        {"int", "window", number(config.at("window"))},
        {"int", "order",
         here + (config.at("order") == kChannelByChannel ? "kChannelByChannel" : "kImageByImage")},
        {"int", "block_c", number(config.at("block_c"))},
        {"int", "block_h", number(config.at("block_h"))},
        {"int", "block_w", number(config.at("block_w"))},
        {"bool", "prefetch", config.at("prefetch") != 0 ? "true" : "false"},
        {"int", "stores", here + (config.at("stores") == kStreamed ? "kStreamed" : "kCached")},
    };
    source.entries = {here + (p.bias ? "Forward" : "ForwardUnbiased")};
    return source;
  }

  Plan plan(const Problem& problem, const Config& config, const Target& target) const override {
    const DepthwiseProblem p(problem);
    const std::string out_h = outputs("height", p.pad_h, p.span_h(), p.stride_h);
    const std::string out_w = outputs("width", p.pad_w, p.span_w(), p.stride_w);
    const bool nhwc = p.layout == kNhwc;
    const std::vector<int> order = nhwc ? std::vector<int>{0, 2, 3, 1} : std::vector<int>{};
    const int unit = nhwc ? 1 : 3;
    const int64_t element = int64_t(size_of(p.dtype));
    using Kind = Buffer::Kind;

    Plan plan;
    for (const Field& field : schema().fields()) {
      if (field.field_class != FieldClass::kSized) continue;
      int64_t least = int64_t(field.minimum);
      if (field.name == "height") least = std::max(least, p.span_h() - 2 * p.pad_h);
      if (field.name == "width") least = std::max(least, p.span_w() - 2 * p.pad_w);
      plan.symbols.push_back({field.name, least, int64_t(field.maximum)});
    }
    const auto add = [&](const char* name, std::vector<std::string> shape, std::vector<int> axes,
                         Kind kind, int unit_axis, bool optional) {
      plan.buffers.push_back({.name = name,
                              .dtype = p.dtype,
                              .shape = std::move(shape),
                              .order = std::move(axes),
                              .kind = kind,
                              .optional = optional,
                              .unit_stride_axis = unit_axis,
                              .alignment = element});
    };
    add("x", {"batch", "channels", "height", "width"}, order, Kind::kInput, unit, false);
    add("w", {"channels", number(p.kernel_h), number(p.kernel_w)}, {}, Kind::kInput, -1, false);
    if (p.bias) add("b", {"channels"}, {}, Kind::kInput, -1, true);
    add("y", {"batch", "channels", out_h, out_w}, order, Kind::kOutput, unit, false);

    Launch launch{.entry = p.bias ? "forward" : "forward_unbiased"};
    const auto blocks = [&](const std::string& size, const char* block) {
      return "ceil_div(" + size + ", " + number(config.at(block)) + ")";
    };
    const bool by_channel = config.at("order") == kChannelByChannel;
    const std::string pack = number(config.at("vectors") * target.vector_lanes);
    const std::string lanes = by_channel ? "ceil_div(channels, " + pack + ") * " + pack + " * batch"
                              : nhwc     ? "channels"
                                         : "batch * channels";
    launch.grid = {blocks(lanes, "block_c"),
                   blocks(out_w, "block_w") + " * " + blocks(out_h, "block_h"),
                   nhwc && !by_channel ? "batch" : "1"};
    for (const Buffer& buffer : plan.buffers) {
      launch.arguments.push_back({Argument::Kind::kTensor, buffer.name});
      (buffer.kind == Kind::kOutput ? launch.writes : launch.reads).push_back(buffer.name);
    }
    for (const std::string& size : {std::string("batch"), std::string("channels"),
                                    std::string("height"), std::string("width"), out_h, out_w}) {
      launch.arguments.push_back({Argument::Kind::kSize, size});
    }
    plan.steps.push_back(std::move(launch));
    return plan;
  }

  Cost cost(const Problem& problem) const override {
    const DepthwiseProblem p(problem);
    const double outputs = double(p.planes()) * double(p.out_h()) * double(p.out_w());
    const double inputs = double(p.planes()) * double(p.height) * double(p.width);
    const double weights = double(p.channels * (p.taps() + (p.bias ? 1 : 0)));
    const double flops = 2 * outputs * double(p.taps());
    const double bytes = double(size_of(p.dtype)) * (inputs + outputs + weights);
    return {.flops = flops,
            .bytes = bytes,
            .bandwidth_bound = flops < kBandwidthBoundIntensity * bytes};
  }

  std::string cost_convention() const override {
    return "FLOPs: 2 batch channels out_h out_w kernel_h kernel_w, taps beside the image included "
           "though kernels may skip them. Bytes: x, w, b and y once.";
  }

  Problem probe(const Problem& problem) const override {
    const DepthwiseProblem p(problem);
    // Channels that fill no lanes evenly, a second image, and rows and columns that leave a rest;
    // cut down to about 10 million products.
    int64_t channels = std::min<int64_t>(p.channels, 37);
    const auto edge = [](int64_t size, int64_t span, int64_t stride, int64_t pad) {
      return std::min(size, std::max<int64_t>(19 * stride, span - 2 * pad + 4 * stride));
    };
    int64_t height = edge(p.height, p.span_h(), p.stride_h, p.pad_h);
    int64_t width = edge(p.width, p.span_w(), p.stride_w, p.pad_w);
    const int64_t batch = std::min<int64_t>(p.batch, 2);
    const auto sized = [&](int64_t c) {
      return problem.with(
          {{"batch", batch}, {"channels", c}, {"height", height}, {"width", width}});
    };
    while (channels > 3 && cost(sized(channels)).flops > 2e7)
      channels = (channels + 1) / 2;
    return sized(channels);
  }

  void fill_input(const Problem& problem, uint64_t seed, HostTensor& input) const override {
    const DepthwiseProblem p(problem);
    const double deviation = input.name == "w" ? 1 / std::sqrt(double(p.taps())) : 1.0;
    fill_normal(input, seed, uint64_t(input.name[0]), deviation);
  }

  int64_t reference_units(const Problem& problem) const override {
    const DepthwiseProblem p(problem);
    return p.planes() * p.out_h();
  }

  double reference_unit_flops(const Problem& problem) const override {
    const DepthwiseProblem p(problem);
    return 2 * double(p.out_w()) * double(p.taps());
  }

  std::vector<int64_t> border_units(const Problem& problem) const override {
    const DepthwiseProblem p(problem);
    std::vector<int64_t> units;
    for (int64_t plane : {int64_t{0}, p.channels - 1, p.planes() / 2, p.planes() - 1}) {
      for (int64_t i : {int64_t{0}, int64_t{6}, int64_t{7}, p.out_h() / 2, p.out_h() - 1}) {
        if (i >= 0 && i < p.out_h()) units.push_back(plane * p.out_h() + i);
      }
    }
    std::sort(units.begin(), units.end());
    units.erase(std::unique(units.begin(), units.end()), units.end());
    return units;
  }

  void reference_unit(const Problem& problem, std::span<const HostTensor> tensors, int64_t unit,
                      ReferenceSink& sink) const override {
    reference_row(DepthwiseProblem(problem), tensors, unit, sink);
  }

  std::string tolerance_derivation() const override { return depthwise_tolerance(); }
};

}  // namespace

const Family& family() {
  static const DepthwiseForward instance;
  return instance;
}

}  // namespace kiln::depthwise_conv2d_forward
