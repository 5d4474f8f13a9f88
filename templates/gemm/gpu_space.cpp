#include "templates/gemm/gpu_space.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/ceil_div.h"
#include "templates/gemm/search_space.h"
#include "templates/schedules/simt.h"
#include "templates/tile/simt/footprint.h"

namespace kiln::gemm {
namespace {

using tile::Fragment;
using tile::Swizzle;
using tile::footprint::takes_groups;

constexpr int kSpaceVersion = 4;
const std::vector<int64_t> kTiles = {16, 32, 64, 128, 256};
// Blocks along the second and third axis of a grid.
constexpr int64_t kMostBlocksAcross = 65535;
// Of a chunk, in bytes: whole panels of scratchpad where k runs along rows.
constexpr int64_t kChunkBytes[] = {64, 128, 256};
// The default's model of a block's time, in products: what loading an element of an operand costs,
// and what reading one from scratchpad costs a warp, or products of a warpgroup, of 64 rows.
constexpr double kLoadCost = 64, kFragmentCost = 16, kGroupRows = 64;
// So many times slower than matrix instructions are multiply-adds.
constexpr double kFmaTimes = 16;
// What a second launch costs; it reads every part's sum, which the first has written.
constexpr double kLaunchCost = 1 << 21;
constexpr double kPartAccesses = 2;
// Blocks of parts, for each multiprocessor.
constexpr int64_t kMostPartBlocks = 2;
const std::vector<int64_t> kBands = {1, 4, 8, 16};
const std::vector<int64_t> kSplits = {1, 2, 4, 8, 16, 32};
// Of the default's slots, so that two blocks may share a multiprocessor.
constexpr int kBlocksTogether = 2;
// Sums of a block of warpgroups beyond which registers hold no second block.
constexpr int64_t kSumsAlone = 128 * 128;

int64_t tiles(const GemmProblem& p, const Config& c) {
  return p.batch * tiles_m(p, c) * tiles_n(p, c);
}

int64_t least_block_k(const GemmProblem& p) {
  return kChunkBytes[0] / int64_t(size_of(p.dtype));
}

std::vector<Parameter> parameters(const GemmProblem& p, const Target& t) {
  std::vector<int64_t> depths;
  for (int64_t bytes : kChunkBytes)
    depths.push_back(bytes / int64_t(size_of(p.dtype)));
  std::vector<Parameter> all = {
      {.name = "block_m", .documentation = "rows of a tile", .values = kTiles},
      {.name = "block_n", .documentation = "columns of a tile", .values = kTiles},
      {.name = "block_k",
       .documentation = "of k: a chunk that is staged at once",
       .values = depths},
      {.name = "k_splits",
       .documentation = "parts into which k is cut, to give every multiprocessor a block",
       .values = kSplits},
      order_parameter(),
      {.name = "band",
       .documentation = "tiles along the other axis that are walked together, to share operands in "
                        "the cache both ways",
       .values = kBands},
  };
  for (Parameter& parameter : schedules::grid_parameters(t))
    all.push_back(std::move(parameter));
  for (Parameter& parameter : schedules::contraction_parameters(t, p.dtype))
    all.push_back(std::move(parameter));
  return all;
}

std::vector<Constraint> constraints(const GemmProblem& p, const Target& t) {
  const auto below_twice = [](int64_t size, int64_t least) {
    return [=](int64_t block) { return block <= least || block < 2 * size; };
  };
  const auto m = below_twice(p.m, kTiles.front()), n = below_twice(p.n, kTiles.front()),
             k = below_twice(p.k, least_block_k(p));
  std::vector<Constraint> all = {
      {"blocks are less than twice as large as the problem, or the least",
       {"block_m", "block_n", "block_k"},
       [=](const Config& c) {
         return m(c.at("block_m")) && n(c.at("block_n")) && k(c.at("block_k"));
       }},
      {"k_splits > 1 only where multiprocessors lack blocks, and no part is shorter than a chunk",
       {"block_m", "block_n", "block_k", "k_splits"},
       [=](const Config& c) {
         const int64_t splits = k_splits(c), blocks = tiles(p, c);
         return splits == 1 ||
                (blocks < t.threads && blocks * splits <= kMostPartBlocks * t.threads &&
                 splits * c.at("block_k") <= p.k);
       }},
      {"band > 1 only where tiles are more than multiprocessors, and is no wider than the grid",
       {"block_m", "block_n", "order", "band"},
       [=](const Config& c) {
         const bool rows_first = c.at("order") == kRowsFirst;
         return c.at("band") == 1 ||
                (tiles(p, c) > t.threads && (rows_first ? tiles_m(p, c) : tiles_n(p, c)) > 1 &&
                 (rows_first ? tiles_n(p, c) : tiles_m(p, c)) >= c.at("band"));
       }},
      {"order = rows_first where there is but one row or column of tiles; no more than 65535 "
       "blocks follow the other way",
       {"block_m", "block_n", "order"},
       [=](const Config& c) {
         const bool rows_first = c.at("order") == kRowsFirst;
         const int64_t across = rows_first ? tiles_n(p, c) : tiles_m(p, c);
         return across <= kMostBlocksAcross && (rows_first || tiles_n(p, c) > kMostBlocksAcross ||
                                                (tiles_m(p, c) > 1 && tiles_n(p, c) > 1));
       }},
  };
  if (schedules::chiplets(t) > 1) {
    all.push_back({"chiplets > 1 where each gets neighbours",
                   {"block_m", "block_n", "chiplets"},
                   [=](const Config& c) {
                     return c.at("chiplets") == 1 || tiles(p, c) >= 2 * c.at("chiplets");
                   }});
  }
  for (Constraint& constraint : schedules::contraction_constraints(t, operands_of(p)))
    all.push_back(std::move(constraint));
  return all;
}

// Elements along the rows and columns that blocks at work at the same time read of the operands.
int64_t elements_at_once(const GemmProblem& p, const Target& t, const Config& c, int64_t band) {
  const bool rows_first = c.at("order") == kRowsFirst;
  const int64_t firsts = rows_first ? tiles_m(p, c) : tiles_n(p, c);
  const int64_t across = std::min<int64_t>(firsts, ceil_div(t.threads, band));
  const int64_t along = band * ceil_div(t.threads, across * band);
  const int64_t m = rows_first ? across : along, n = rows_first ? along : across;
  return m * c.at("block_m") + n * c.at("block_n");
}

// The time of all launches in products that a multiprocessor makes, by a model.
double cost(const GemmProblem& p, const Target& t, const Config& c) {
  const double m = double(c.at("block_m")), n = double(c.at("block_n"));
  const int64_t row_warps = c.at("warps") / c.at("column_warps");
  const bool groups = takes_groups(schedules::fragment_of(c));
  const double warp_m = groups ? kGroupRows : m / double(row_warps);
  const double warp_n = n / double(c.at("column_warps"));
  const int64_t splits = k_splits(c);
  const double share = double(tiles(p, c) * splits) / t.threads;
  // The last blocks leave some multiprocessors idle; blocks that share one even that out.
  const double rounds = share <= 1 ? 1 : (share + std::ceil(share)) / 2;
  const double depth = double(ceil_div(ceil_div(p.k, c.at("block_k")), splits) * c.at("block_k"));
  const double sums = double(p.batch * p.m) * double(p.n) * double(splits) / t.threads;
  const double merge =
      splits == 1 ? 0
                  : kLaunchCost + sums * kPartAccesses * kLoadCost * 4 / double(size_of(p.dtype));
  const double slower = schedules::fragment_of(c) == Fragment::fma_16x16x16 ? kFmaTimes : 1;
  return merge / slower + rounds * depth *
                              (m * n * (1 + kFragmentCost * (1 / warp_m + 1 / warp_n)) +
                               kLoadCost / slower * (m + n));
}

// The config with the band by which blocks at work at the same time read least.
Config in_bands(const GemmProblem& p, const Target& t, const Space& space, const Config& config) {
  Config best = config;
  for (int64_t band : kBands) {
    auto values = config.values();
    std::ranges::find(values, "band", &std::pair<std::string, int64_t>::first)->second = band;
    const Config other(values);
    if (space.check(other).ok() &&
        elements_at_once(p, t, config, band) < elements_at_once(p, t, config, best.at("band"))) {
      best = other;
    }
  }
  return best;
}

}  // namespace

schedules::Operands operands_of(const GemmProblem& p) {
  return {.dtype = p.dtype, .left_down = p.transpose_a, .right_down = !p.transpose_b};
}

Space gpu_space(const GemmProblem& problem, const Target& target) {
  return Space(kSpaceVersion, parameters(problem, target), constraints(problem, target));
}

// Of the best fragment that has any: the cheapest tile by the model that registers hold, with as
// many slots as leave room for a second block.
Config gpu_default(const GemmProblem& p, const Target& t) {
  const Space space = gpu_space(p, t);
  // Neighbours share the operand that is read again more often.
  const int64_t wanted_order = p.m > p.n ? kColumnsFirst : kRowsFirst;
  // Whole panels of scratchpad and slots to fill ahead, rather than more slots or longer chunks.
  const int64_t whole = 2 * least_block_k(p), half = least_block_k(p);
  const std::pair<int64_t, int64_t> chunks[] = {{whole, 4}, {whole, 3}, {whole, 2}, {half, 3},
                                                {half, 2},  {whole, 1}, {half, 1}};
  Config best;
  double least = INFINITY;
  const auto possible = [&](const Config& config) {
    const int64_t slots = schedules::contraction_scratchpad(config, operands_of(p));
    const bool alone = takes_groups(schedules::fragment_of(config)) &&
                       config.at("block_m") * config.at("block_n") > kSumsAlone;
    const int64_t blocks = alone ? 1 : kBlocksTogether;
    return (config.at("stages") == 1 || blocks * slots <= t.scratchpad_bytes) &&
           space.check(config).ok() && schedules::holds_contraction(config, t, p.dtype);
  };
  // The first of the chunks and orders that the tile takes, in as many parts as are cheapest.
  const auto settle = [&](Fragment fragment, int64_t block_m, int64_t block_n, int64_t warps,
                          int64_t column_warps) {
    const Swizzle swizzle =
        fragment == Fragment::fma_16x16x16 ? Swizzle::folded : Swizzle::exclusive;
    for (const auto& [block_k, stages] : chunks) {
      for (int64_t order : {wanted_order, kRowsFirst, kColumnsFirst}) {
        bool found = false;
        for (int64_t splits : kSplits) {
          std::vector<std::pair<std::string, int64_t>> values = {{"block_m", block_m},
                                                                 {"block_n", block_n},
                                                                 {"block_k", block_k},
                                                                 {"k_splits", splits},
                                                                 {"order", order},
                                                                 {"band", 1},
                                                                 {"fragment", int64_t(fragment)},
                                                                 {"warps", warps},
                                                                 {"stages", stages},
                                                                 {"swizzle", int64_t(swizzle)},
                                                                 {"column_warps", column_warps}};
          if (schedules::chiplets(t) > 1) values.emplace_back("chiplets", 1);
          const Config config(values);
          if (!possible(config)) break;
          found = true;
          const double c = cost(p, t, config);
          if (c < least) {
            least = c;
            best = config;
          }
        }
        if (found) return;
      }
    }
  };
  for (const Fragment fragment : schedules::best_fragments(t, p.dtype)) {
    for (int64_t block_m : kTiles) {
      for (int64_t block_n : kTiles) {
        for (int64_t warps : {4, 8}) {
          for (int64_t column_warps : {1, 2, 4})
            settle(fragment, block_m, block_n, warps, column_warps);
        }
      }
    }
    if (std::isfinite(least)) return in_bands(p, t, space, best);
  }
  // None of these fits: any point is better than none.
  return space.config(space.enumerate()->front());
}

}  // namespace kiln::gemm
