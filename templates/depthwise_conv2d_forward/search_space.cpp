#include "depthwise_conv2d_forward/search_space.h"

#include <algorithm>

#include "core/ceil_div.h"

namespace kiln::depthwise_conv2d_forward {

namespace {

constexpr int kSpaceVersion = 6;
constexpr int64_t kLineBytes = 64;
// Wider maps are cut: rows of a tile should stay in the first-level cache.
constexpr int64_t kWidest = 112;
const std::vector<int64_t> kWidths = {7, 14, 28, 56, kWidest, 256, 1024};  // of blocks
// Outputs of a plane beyond which staging its weights once more costs little.
constexpr int64_t kSmallMap = 100;

Shape shape(const DepthwiseProblem& p, const Config& c) {
  const auto at = [&](const char* name) { return int(c.at(name)); };
  return {int(p.kernel_h),   int(p.kernel_w), int(p.stride_h), int(p.stride_w), int(p.dilation_h),
          int(p.dilation_w), int(p.pad_h),    int(p.pad_w),    p.layout,        at("lanes"),
          at("block_c"),     at("block_h"),   at("block_w"),   at("window"),    at("vectors")};
}

// The values below twice `n`, at least the first.
std::vector<int64_t> up_to(int64_t n, std::vector<int64_t> values) {
  std::erase_if(values, [&](int64_t v) { return v != values.front() && v >= 2 * n; });
  return values;
}

int64_t lane_channels(const DepthwiseProblem& p) {
  return p.layout == kNchw ? p.planes() : p.channels;
}

// Outputs along the axis of register windows (geometry.h).
int64_t outputs_along(const DepthwiseProblem& p, int64_t lanes) {
  return lanes == kColumns || (p.kernel_w == 1 && p.kernel_h > 1) ? p.out_h() : p.out_w();
}

// Whether a block can have exactly this many columns.
bool is_width(int64_t n) {
  return std::ranges::find(kWidths, n) != kWidths.end();
}

int64_t blocks(const DepthwiseProblem& p, const Config& c) {
  const bool together = p.layout == kNchw || c.at("order") == kChannelByChannel;
  return ceil_div(together ? p.planes() : p.channels, c.at("block_c")) *
         ceil_div(p.out_h(), c.at("block_h")) * ceil_div(p.out_w(), c.at("block_w")) *
         (together ? 1 : p.batch);
}

// Outputs whose sums, weights and input fit the registers.
int64_t widest_window(const Target& t, int64_t vectors) {
  const bool many = t.vector_registers >= 32;
  if (vectors == 1) return many ? 16 : 8;
  return many ? 7 : 4;
}

// Only pixels: planes of one channel lie far apart.
bool small_images(const DepthwiseProblem& p) {
  return p.layout == kNhwc && p.batch > 1 && p.out_h() * p.out_w() <= kSmallMap;
}

std::vector<Parameter> parameters(const DepthwiseProblem& p, const Target& t) {
  const bool many = t.vector_registers >= 32;
  Parameter lanes{.name = "lanes",
                  .documentation =
                      "what lies in a vector's lanes: channels (in NCHW by a "
                      "transpose) or columns",
                  .values = {kChannels},
                  .labels = {"channels"}};
  if (p.layout == kNchw && p.stride_w == 1) {
    lanes.values.push_back(kColumns);
    lanes.labels.push_back("columns");
  }
  return {
      lanes,
      {.name = "vectors",
       .documentation = "vectors of channels that a window takes at once",
       .values = p.layout == kNhwc ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{1}},
      {.name = "window",
       .documentation = "outputs that wait in registers while inputs pass by",
       .values =
           many ? std::vector<int64_t>{1, 4, 7, 8, 14, 16} : std::vector<int64_t>{1, 4, 7, 8}},
      {.name = "order",
       .documentation = "what lanes take after one another: an image's channels, or a channel's "
                        "images, whose weights stay",
       .values = small_images(p) ? std::vector<int64_t>{kImageByImage, kChannelByChannel}
                                 : std::vector<int64_t>{kImageByImage},
       .labels = small_images(p) ? std::vector<std::string>{"image_by_image", "channel_by_channel"}
                                 : std::vector<std::string>{"image_by_image"}},
      {.name = "block_c",
       .documentation = "channels of a block (NCHW: planes)",
       .values = up_to(lane_channels(p), {16, 32, 128})},
      {.name = "block_h",
       .documentation = "rows of a block",
       .values = p.out_h() == 1 ? std::vector<int64_t>{1} : up_to(p.out_h(), {7, 14, 28, 56})},
      {.name = "block_w",
       .documentation = "columns of a block",
       .values = up_to(p.out_w(), kWidths)},
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
      {"window is 1 for one output along it, 4 for up to 6, else from 7 to less than twice them; "
       "of two vectors it has at most 7 outputs, 4 of 16 registers: more would spill",
       {"lanes", "vectors", "window"},
       [=](const Config& c) {
         const int64_t outputs = outputs_along(p, c.at("lanes")), window = c.at("window");
         const int64_t most = widest_window(t, c.at("vectors"));
         if (outputs == 1) return window == 1;
         if (outputs < 7 || most < 7) return window == 4;
         return window >= 7 && window <= most && window < 2 * outputs;
       }},
      {"block_c covers whole vectors; with columns in lanes it is 16",
       {"lanes", "vectors", "block_c"},
       [=](const Config& c) {
         if (c.at("lanes") == kColumns) return c.at("block_c") == 16;
         return c.at("block_c") % (c.at("vectors") * t.vector_lanes) == 0;
       }},
      {"block_w covers the columns or 112 of them; half of that only where no value fits exactly",
       {"block_w"},
       [=](const Config& c) {
         const int64_t wanted = std::min(p.out_w(), kWidest), block = c.at("block_w");
         return block >= wanted || (!is_width(wanted) && 2 * block >= wanted);
       }},
      {"the tile fits the second-level cache, or is of the least height",
       {"lanes", "vectors", "window", "block_c", "block_h", "block_w"},
       [=](const Config& c) {
         return c.at("block_h") <= 7 ||
                scratch_bytes(p, c, t) <= std::max<int64_t>(t.l2_bytes, 512 << 10);
       }},
      {"there is a block for every thread, or blocks are of the least channels",
       {"order", "block_c", "block_h", "block_w"},
       [=](const Config& c) { return c.at("block_c") == 16 || blocks(p, c) >= t.threads; }},
  };
}

// The greatest value up to `wanted`, and the least from `wanted` on; else the nearest.
int64_t at_most(const Parameter& parameter, int64_t wanted) {
  int64_t best = parameter.values.front();
  for (int64_t v : parameter.values) {
    if (v <= wanted) best = v;
  }
  return best;
}
int64_t at_least(const Parameter& parameter, int64_t wanted) {
  for (int64_t v : parameter.values) {
    if (v >= wanted) return v;
  }
  return parameter.values.back();
}

}  // namespace

int64_t scratch_bytes(const DepthwiseProblem& p, const Config& c, const Target& t) {
  const Shape s = shape(p, c);
  return 4 * int64_t(tile_of(s, window_of(s, t.vector_registers), t.vector_lanes).floats);
}

Space depthwise_space(const DepthwiseProblem& problem, const Target& target) {
  return Space(kSpaceVersion, parameters(problem, target), constraints(problem, target));
}

Config depthwise_default(const DepthwiseProblem& p, const Target& t) {
  const Space space = depthwise_space(p, t);
  const auto parameter = [&](std::string_view name) -> const Parameter& {
    return *std::find_if(space.parameters().begin(), space.parameters().end(),
                         [&](const Parameter& q) { return q.name == name; });
  };
  const bool nchw = p.layout == kNchw;
  // Transposes pay where sums are long or maps narrow.
  const bool columns = nchw && p.stride_w == 1 && p.taps() <= 16 && p.out_w() >= 14 &&
                       p.out_w() <= 32 && p.kernel_w <= 5;
  const int64_t lanes = columns ? kColumns : kChannels;
  const int64_t along = outputs_along(p, lanes);
  // Lines of up to two vectors. Outputs beyond the cache are better off streamed, by whole lines;
  // with few registers wide maps gain by loading whole lines too.
  const int64_t line = kLineBytes / int64_t(size_of(p.dtype));
  const bool lines = !nchw && line <= 2 * t.vector_lanes && p.channels % line == 0;
  const bool streamed =
      lines && p.planes() * p.out_h() * p.out_w() * kLineBytes / line > t.llc_bytes;
  const bool wide = lines && t.vector_registers < 32 && p.out_w() >= 28;
  const int64_t vectors = streamed || wide ? line / t.vector_lanes : 1;
  // Windows that divide the outputs.
  int64_t window = along == 1 ? 1 : along < 7 ? 4 : along == 7 || vectors > 1 ? 7 : 8;
  window = std::min(window, widest_window(t, vectors));
  if (window == 8 && along % 8 != 0 && along % 7 == 0) window = 7;
  if (vectors == 1 && t.vector_registers >= 32 && along % 14 == 0) window = 14;
  const int64_t order = small_images(p) ? kChannelByChannel : kImageByImage;
  int64_t block_c = nchw ? 16 : at_most(parameter("block_c"), 128);
  int64_t block_h = nchw ? at_least(parameter("block_h"), std::min<int64_t>(p.out_h(), 56))
                         : at_most(parameter("block_h"), 14);
  int64_t block_w = at_least(parameter("block_w"), std::min(p.out_w(), kWidest));
  // The next tile is near enough to be fetched by hardware where tiles are tiny.
  const bool prefetch = nchw && !columns && p.height * p.width > 64;
  const auto config = [&] {
    return Config({{"lanes", lanes},
                   {"vectors", vectors},
                   {"window", window},
                   {"order", order},
                   {"block_c", block_c},
                   {"block_h", block_h},
                   {"block_w", block_w},
                   {"prefetch", prefetch},
                   {"stores", streamed ? kStreamed : kCached}});
  };
  // Lower, then of fewer channels, then narrower, until it is admissible.
  while (!space.check(config()).ok()) {
    if (block_h > parameter("block_h").values.front()) {
      block_h = at_most(parameter("block_h"), block_h - 1);
    } else if (block_c > 16) {
      block_c = at_most(parameter("block_c"), block_c - 1);
    } else if (block_w > parameter("block_w").values.front()) {
      block_w = at_most(parameter("block_w"), block_w - 1);
    } else {
      break;
    }
  }
  return config();
}

}  // namespace kiln::depthwise_conv2d_forward
