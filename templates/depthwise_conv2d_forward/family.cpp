// The family depthwise_conv2d_forward: depthwise 2-d convolution, forward.

#include "core/family.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/random.h"
#include "core/tensor.h"
#include "depthwise_conv2d_forward/gpu_space.h"
#include "depthwise_conv2d_forward/problem.h"
#include "depthwise_conv2d_forward/reference.h"
#include "depthwise_conv2d_forward/search_space.h"
#include "templates/activation.h"
#include "templates/plan_parts.h"
#include "templates/schedules/simt.h"

namespace kiln::depthwise_conv2d_forward {

namespace {

// The smallest input that has an output: what the kernel spans less the padding.
int64_t least_h(const DepthwiseProblem& p) {
  return p.span_h() - 2 * p.pad_h;
}
int64_t least_w(const DepthwiseProblem& p) {
  return p.span_w() - 2 * p.pad_w;
}

// Outputs along an axis, as an expression.
std::string outputs(const char* input, int64_t pad, int64_t span, int64_t stride) {
  return "ceil_div(" + std::string(input) + " + " + std::to_string(2 * pad) + " - " +
         std::to_string(span - 1) + ", " + std::to_string(stride) + ")";
}

class DepthwiseForward final : public Family {
 public:
  const Schema& schema() const override { return depthwise_schema(); }

  Status check(const Problem& problem) const override {
    const DepthwiseProblem p(problem);
    if (p.out_h() < 1) {
      return invalid_field(
          "height", std::to_string(p.height),
          "at least " + std::to_string(least_h(p)) + ", what the kernel spans less the padding");
    }
    if (p.out_w() < 1) {
      return invalid_field(
          "width", std::to_string(p.width),
          "at least " + std::to_string(least_w(p)) + ", what the kernel spans less the padding");
    }
    if (!tensor_fits({p.batch, p.channels, p.height, p.width}) ||
        !tensor_fits({p.batch, p.channels, p.out_h(), p.out_w()})) {
      return invalid_field("batch", std::to_string(p.batch), "tensors below 2^57 elements");
    }
    return absl::OkStatus();
  }

  Space space(const Problem& problem, const Target& target) const override {
    const DepthwiseProblem p(problem);
    return target.is_gpu() ? gpu_space(p, target) : depthwise_space(p, target);
  }
  Config default_config(const Problem& problem, const Target& target) const override {
    const DepthwiseProblem p(problem);
    return target.is_gpu() ? gpu_default(p, target) : depthwise_default(p, target);
  }

  KernelSource source(const Problem& problem, const Config& config,
                      const Target& target) const override {
    const DepthwiseProblem p(problem);
    const std::string here = "kiln::depthwise_conv2d_forward::";
    using Member = KernelSource::Member;
    const auto parameter = [&](const char* name) { return Member::integer(name, config.at(name)); };
    const auto choice = [&](const char* name, const char* value) {
      return Member{"int", name, here + value};
    };
    KernelSource source;
    source.header = "depthwise_conv2d_forward/kernel.h";
    source.config = {
        Member::element("Element", p.dtype),
        Member::integer("kernel_h", p.kernel_h),
        Member::integer("kernel_w", p.kernel_w),
        Member::integer("stride_h", p.stride_h),
        Member::integer("stride_w", p.stride_w),
        Member::integer("dilation_h", p.dilation_h),
        Member::integer("dilation_w", p.dilation_w),
        Member::integer("pad_h", p.pad_h),
        Member::integer("pad_w", p.pad_w),
        choice("layout", p.layout == kNchw ? "kNchw" : "kNhwc"),
        activation_member(p.activation),
        choice("lanes", config.at("lanes") == kColumns ? "kColumns" : "kChannels"),
        parameter("vectors"),
        parameter("window"),
        choice("order",
               config.at("order") == kChannelByChannel ? "kChannelByChannel" : "kImageByImage"),
        parameter("block_c"),
        parameter("block_h"),
        parameter("block_w"),
        Member::boolean("prefetch", config.at("prefetch") != 0),
        choice("stores", config.at("stores") == kStreamed ? "kStreamed" : "kCached"),
    };
    if (target.is_gpu()) source.config.push_back(parameter("warps"));
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
    using Kind = Buffer::Kind;

    Plan plan = plan_of(schema());
    for (Symbol& symbol : plan.symbols) {
      if (symbol.name == "height") symbol.minimum = std::max(symbol.minimum, least_h(p));
      if (symbol.name == "width") symbol.minimum = std::max(symbol.minimum, least_w(p));
    }
    plan.buffers = {
        argument("x", p.dtype, {"batch", "channels", "height", "width"}, Kind::kInput, order, unit),
        argument("w", p.dtype, {"channels", std::to_string(p.kernel_h), std::to_string(p.kernel_w)},
                 Kind::kInput)};
    if (p.bias) {
      plan.buffers.push_back(argument("b", p.dtype, {"channels"}, Kind::kInput));
      plan.buffers.back().optional = true;
    }
    plan.buffers.push_back(
        argument("y", p.dtype, {"batch", "channels", out_h, out_w}, Kind::kOutput, order, unit));

    Launch launch{.entry = p.bias ? "forward" : "forward_unbiased"};
    const bool by_channel = config.at("order") == kChannelByChannel;
    const std::string pack = std::to_string(config.at("vectors") * target.vector_lanes);
    const std::string lanes = by_channel ? "ceil_div(channels, " + pack + ") * " + pack + " * batch"
                              : nhwc     ? "channels"
                                         : "batch * channels";
    launch.grid = {
        blocks_of(lanes, config.at("block_c")),
        blocks_of(out_w, config.at("block_w")) + " * " + blocks_of(out_h, config.at("block_h")),
        nhwc && !by_channel ? "batch" : "1"};
    std::vector<std::string> tensors;
    for (const Buffer& buffer : plan.buffers) {
      tensors.push_back(buffer.name);
      (buffer.kind == Kind::kOutput ? launch.writes : launch.reads).push_back(buffer.name);
    }
    launch.arguments = arguments(tensors, {"batch", "channels", "height", "width", out_h, out_w});
    if (target.is_gpu()) {
      schedules::set_block(launch, config, target, scratch_bytes(p, config, target));
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
