#include "depthwise_conv2d_forward/gpu_space.h"

#include <algorithm>
#include <vector>

#include "depthwise_conv2d_forward/search_space.h"

namespace kiln::depthwise_conv2d_forward {
namespace {

constexpr int kSpaceVersion = 1;
// Of a default's block: multiprocessors of most devices then hold two or more.
constexpr int64_t kMostScratch = 64 << 10;

std::vector<Parameter> parameters(const DepthwiseProblem& p, const Target& t) {
  const bool columns = p.layout == kNchw && p.stride_w == 1;
  const int64_t warp = t.vector_lanes;
  return {
      {.name = "lanes",
       .documentation = "what lies in a warp's lanes: channels (in NCHW by a transpose) or columns",
       .values =
           columns ? std::vector<int64_t>{kChannels, kColumns} : std::vector<int64_t>{kChannels},
       .labels = columns ? std::vector<std::string>{"channels", "columns"}
                         : std::vector<std::string>{"channels"}},
      {.name = "vectors",
       .documentation = "channels of a lane",
       .values = p.layout == kNhwc ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{1}},
      {.name = "window",
       .documentation = "outputs that wait in registers while inputs pass by",
       .values = {1, 4, 7, 8}},
      {.name = "order",
       .documentation = "an image's channels after one another",
       .values = {kImageByImage},
       .labels = {"image_by_image"}},
      {.name = "block_c",
       .documentation = "channels of a block (NCHW: planes)",
       .values = {warp, 2 * warp, 4 * warp}},
      {.name = "block_h", .documentation = "rows of a block", .values = {1, 4, 7, 14, 28}},
      {.name = "block_w", .documentation = "columns of a block", .values = {7, 14, 28, 56, 112}},
      {.name = "prefetch", .documentation = "warps hide what loads take", .values = {0}},
      {.name = "stores",
       .documentation = "outputs go through the cache",
       .values = {kCached},
       .labels = {"cached"}},
      {.name = "warps",
       .documentation = "warps of a block, which share its windows",
       .values = {1, 2, 4, 8}},
  };
}

bool smallest(const Config& c) {
  return c.at("block_h") == 1 && c.at("block_w") == 7 && c.at("vectors") == 1;
}

std::vector<Constraint> constraints(const DepthwiseProblem& p, const Target& t) {
  return {
      {"block_c covers whole warps of channels; with columns in lanes it is the least",
       {"lanes", "vectors", "block_c"},
       [=](const Config& c) {
         if (c.at("lanes") == kColumns) return c.at("block_c") == t.vector_lanes;
         return c.at("block_c") % (c.at("vectors") * t.vector_lanes) == 0;
       }},
      {"blocks are less than twice as large as the output, or the least",
       {"block_h", "block_w"},
       [=](const Config& c) {
         return (c.at("block_h") == 1 || c.at("block_h") < 2 * p.out_h()) &&
                (c.at("block_w") == 7 || c.at("block_w") < 2 * p.out_w());
       }},
      {"the block's warps are no more threads than the target allows",
       {"warps"},
       [=](const Config& c) { return c.at("warps") * t.vector_lanes <= t.block_threads; }},
      {"the tile fits the scratchpad, or is the smallest",
       {"lanes", "vectors", "window", "block_c", "block_h", "block_w"},
       [=](const Config& c) {
         return smallest(c) || scratch_bytes(p, c, t) <= t.scratchpad_bytes;
       }},
  };
}

}  // namespace

Space gpu_space(const DepthwiseProblem& problem, const Target& target) {
  return Space(kSpaceVersion, parameters(problem, target), constraints(problem, target));
}

// The highest and widest block that leaves scratchpad to others and that the output fills.
Config gpu_default(const DepthwiseProblem& p, const Target& t) {
  const Space space = gpu_space(p, t);
  const bool columns = p.layout == kNchw && p.stride_w == 1 && p.out_w() >= t.vector_lanes / 2;
  const int64_t lanes = columns ? kColumns : kChannels;
  const int64_t along = columns || (p.kernel_w == 1 && p.kernel_h > 1) ? p.out_h() : p.out_w();
  const int64_t window = along == 1 ? 1 : along < 7 ? 4 : 7;
  for (int64_t block_h : {14, 7, 4, 1}) {
    for (int64_t block_w : {56, 28, 14, 7}) {
      const Config config({{"lanes", lanes},
                           {"vectors", 1},
                           {"window", window},
                           {"order", kImageByImage},
                           {"block_c", t.vector_lanes},
                           {"block_h", block_h},
                           {"block_w", block_w},
                           {"prefetch", 0},
                           {"stores", kCached},
                           {"warps", columns ? 4 : 8}});
      if (space.check(config).ok() && scratch_bytes(p, config, t) <= kMostScratch) return config;
    }
  }
  return space.config(space.enumerate()->front());
}

}  // namespace kiln::depthwise_conv2d_forward
