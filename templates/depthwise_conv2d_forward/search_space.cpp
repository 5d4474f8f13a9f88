#include "depthwise_conv2d_forward/search_space.h"

#include <algorithm>

namespace kiln::depthwise_conv2d_forward {

namespace {

constexpr int kSpaceVersion = 1;

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

Shape shape(const DepthwiseProblem& p, int64_t lanes, int64_t block_c, int64_t block_h,
            int64_t block_w, int64_t window) {
  return {int(p.kernel_h),   int(p.kernel_w), int(p.stride_h), int(p.stride_w), int(p.dilation_h),
          int(p.dilation_w), int(p.pad_h),    int(p.pad_w),    p.layout,        int(lanes),
          int(block_c),      int(block_h),    int(block_w),    int(window)};
}

// Bytes of scratch.
int64_t footprint(const Shape& s, const Target& t) {
  return 4 * int64_t(tile_of(s, window_of(s, t.vector_registers), t.vector_lanes).floats);
}

// Large kernels need large tiles, whatever the cache.
int64_t scratch_limit(const DepthwiseProblem& p, const Target& t) {
  const int64_t least = footprint(shape(p, kChannels, t.vector_lanes, 4, 8, 4), t) + (64 << 10);
  return std::max<int64_t>(least, std::max<int64_t>(t.l2_bytes, 512 << 10));
}

// The values below twice `n`, at least the first.
std::vector<int64_t> up_to(int64_t n, std::vector<int64_t> values) {
  std::erase_if(values, [&](int64_t v) { return v != values.front() && v >= 2 * n; });
  return values;
}

int64_t outputs_along_window(const DepthwiseProblem& p, bool columns) {
  return columns || (p.kernel_w == 1 && p.kernel_h > 1) ? p.out_h() : p.out_w();
}

std::vector<Parameter> parameters(const DepthwiseProblem& p, const Target& t) {
  const bool columns = p.layout == kNchw && p.stride_w == 1;
  const bool large = t.vector_registers >= 32;
  const int64_t channels = p.layout == kNchw ? p.planes() : p.channels;
  return {
      {.name = "lanes",
       .documentation =
           "what lies in a vector's lanes: channels (in NCHW by a transpose) or columns",
       .values =
           columns ? std::vector<int64_t>{kChannels, kColumns} : std::vector<int64_t>{kChannels},
       .labels = columns ? std::vector<std::string>{"channels", "columns"}
                         : std::vector<std::string>{"channels"}},
      {.name = "window",
       .documentation = "outputs that wait in registers while inputs pass by",
       .values =
           large ? std::vector<int64_t>{1, 4, 7, 8, 14, 16} : std::vector<int64_t>{1, 4, 7, 8}},
      {.name = "block_c",
       .documentation = "channels of a block (NCHW: planes)",
       .values = up_to(channels, {16, 32, 64, 128, 256})},
      {.name = "block_h",
       .documentation = "rows of a block",
       .values = up_to(p.out_h(), {1, 4, 7, 14, 28, 56, 112})},
      {.name = "block_w",
       .documentation = "columns of a block",
       .values = up_to(p.out_w(), {8, 14, 28, 56, 112, 256})},
      {.name = "prefetch",
       .documentation = "fetch the next tile into the cache while this one is computed",
       .values = {0, 1}},
      {.name = "stores",
       .documentation = "outputs stay in the cache or are streamed past it",
       .values = {kCached, kStreamed},
       .labels = {"cached", "streamed"}},
  };
}

std::vector<Constraint> constraints(const DepthwiseProblem& p, const Target& t) {
  return {
      {"window is less than twice the outputs along it",
       {"lanes", "window"},
       [=](const Config& c) {
         const int64_t outputs = outputs_along_window(p, c.at("lanes") == kColumns);
         return c.at("window") == 1 ? outputs == 1 : c.at("window") < 2 * outputs || outputs == 1;
       }},
      {"the block's tile fits the second-level cache",
       {"lanes", "window", "block_c", "block_h", "block_w"},
       [=](const Config& c) {
         return footprint(shape(p, c.at("lanes"), c.at("block_c"), c.at("block_h"), c.at("block_w"),
                                c.at("window")),
                          t) <= scratch_limit(p, t);
       }},
      {"there are blocks for every thread, unless blocks are the smallest",
       {"block_c", "block_h", "block_w"},
       [=](const Config& c) {
         const int64_t channels = p.layout == kNchw ? p.planes() : p.channels;
         const int64_t blocks =
             ceil_div(channels, c.at("block_c")) * ceil_div(p.out_h(), c.at("block_h")) *
             ceil_div(p.out_w(), c.at("block_w")) * (p.layout == kNchw ? 1 : p.batch);
         return blocks >= t.threads || c.at("block_c") == 16;
       }},
  };
}

}  // namespace

Space depthwise_space(const DepthwiseProblem& problem, const Target& target) {
  return Space(kSpaceVersion, parameters(problem, target), constraints(problem, target));
}

Config depthwise_default(const DepthwiseProblem& p, const Target& t) {
  const Space space = depthwise_space(p, t);
  const auto nearest = [&](const char* name, int64_t wanted) {
    int64_t best = 0;
    for (const Parameter& parameter : space.parameters()) {
      if (parameter.name != name) continue;
      best = parameter.values.front();
      for (int64_t v : parameter.values) {
        if (v <= wanted) best = v;
      }
    }
    return best;
  };
  const auto covering = [&](const char* name, int64_t wanted) {
    for (const Parameter& parameter : space.parameters()) {
      if (parameter.name != name) continue;
      for (int64_t v : parameter.values) {
        if (v >= wanted) return v;
      }
      return parameter.values.back();
    }
    return wanted;
  };
  const int64_t along = outputs_along_window(p, false);
  const int64_t window = along == 1 ? 1 : along % 8 == 0 && along % 7 != 0 ? 8 : along < 7 ? 4 : 7;
  int64_t block_c = p.layout == kNchw ? 16 : nearest("block_c", 128);
  int64_t block_w = covering("block_w", std::min<int64_t>(p.out_w(), 112));
  int64_t block_h = p.layout == kNchw ? covering("block_h", std::min<int64_t>(p.out_h(), 56))
                                      : nearest("block_h", 7);
  const auto config = [&] {
    return Config({{"lanes", kChannels},
                   {"window", window},
                   {"block_c", block_c},
                   {"block_h", block_h},
                   {"block_w", block_w},
                   {"prefetch", 1},
                   {"stores", kCached}});
  };
  // Smaller until it is admissible.
  while (!space.check(config()).ok()) {
    const int64_t before = block_h * block_w * block_c;
    if (block_h > 4) {
      block_h = nearest("block_h", block_h - 1);
    } else if (block_c > 16) {
      block_c = nearest("block_c", block_c - 1);
    } else {
      block_w = nearest("block_w", block_w - 1);
    }
    if (block_h * block_w * block_c == before) break;
  }
  return config();
}

}  // namespace kiln::depthwise_conv2d_forward
