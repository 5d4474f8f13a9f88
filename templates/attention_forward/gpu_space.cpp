#include "templates/attention_forward/gpu_space.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ceil_div.h"
#include "templates/schedules/simt.h"

namespace kiln::attention_forward {
namespace {

using tile::Copies;
using tile::Fragment;
using tile::LeftOperand;
using tile::Roles;
using tile::Staging;
using tile::Swizzle;

constexpr int kSpaceVersion = 5;
// Rows of a tile that even fewer queries may take. Where chunks pass through registers, more warps
// share them than such a tile's own rows would give work to.
constexpr int64_t kLeastRows = 16, kLeastRowsStaged = 64;
// Of a default's block: with more, some machines cut a thread's registers.
constexpr int64_t kMostThreads = 256;
// Query heads are packed below this many queries: a tile would be mostly empty without.
constexpr int64_t kFewQueries = 64;

int64_t blocks(const AttentionProblem& p, bool pack, int64_t block_m) {
  return p.batch * (pack ? p.heads_kv : p.heads_q) * ceil_div(p.rows(pack), block_m);
}

std::vector<Parameter> parameters(const AttentionProblem& p, const Target& t) {
  std::vector<Parameter> all = {
      {.name = "pack_heads",
       .documentation = "query heads that share a key head become rows of one tile",
       .values = p.group() > 1 ? std::vector<int64_t>{0, 1} : std::vector<int64_t>{0}},
      {.name = "block_m", .documentation = "rows of a tile", .values = {16, 32, 64, 128, 256}},
      {.name = "block_n", .documentation = "keys of a chunk", .values = {16, 32, 64, 96, 128}},
      {.name = "key_splits",
       .documentation = "parts into which the keys are cut, to give every multiprocessor a block",
       .values = {1, 2, 4, 8, 16, 32}},
  };
  for (Parameter& parameter : schedules::simt_parameters(t, p.dtype))
    all.push_back(std::move(parameter));
  for (Parameter& parameter : schedules::key_loop_parameters(t, p.dtype))
    all.push_back(std::move(parameter));
  for (Parameter& parameter : schedules::grid_parameters(t))
    all.push_back(std::move(parameter));
  return all;
}

std::vector<Constraint> constraints(const AttentionProblem& p, const Target& t) {
  const int64_t least_rows = t.async_copy ? kLeastRows : kLeastRowsStaged;
  std::vector<Constraint> all = {
      {"block_m is below twice the rows, or at most 16 (64 without asynchronous copies)",
       {"pack_heads", "block_m"},
       [=](const Config& c) {
         return c.at("block_m") <= least_rows ||
                c.at("block_m") < 2 * p.rows(c.at("pack_heads") != 0);
       }},
      {"block_n is below twice the keys, or 16",
       {"block_n"},
       [=](const Config& c) { return c.at("block_n") <= 16 || c.at("block_n") < 2 * p.seq_kv; }},
      {"key_splits > 1 only where multiprocessors lack blocks, and no part is shorter than a chunk",
       {"pack_heads", "block_m", "block_n", "key_splits"},
       [=](const Config& c) {
         const int64_t splits = c.at("key_splits");
         return splits == 1 ||
                (blocks(p, c.at("pack_heads") != 0, c.at("block_m")) * splits <= 4 * t.threads &&
                 splits * c.at("block_n") <= p.seq_kv);
       }},
  };
  if (schedules::chiplets(t) > 1) {
    all.push_back({"chiplets > 1 where blocks share keys",
                   {"pack_heads", "block_m", "chiplets"},
                   [=](const Config& c) {
                     const bool pack = c.at("pack_heads") != 0;
                     return c.at("chiplets") == 1 ||
                            (pack ? 1 : p.group()) * ceil_div(p.rows(pack), c.at("block_m")) > 1;
                   }});
  }
  for (Constraint& constraint : schedules::simt_constraints(t, p.dtype, p.head_dim))
    all.push_back(std::move(constraint));
  for (Constraint& constraint : schedules::key_loop_constraints(t, p.dtype, p.head_dim))
    all.push_back(std::move(constraint));
  return all;
}

}  // namespace

Space gpu_space(const AttentionProblem& problem, const Target& target) {
  return Space(kSpaceVersion, parameters(problem, target), constraints(problem, target));
}

// The largest tile that the rows fill and the machine holds, 16 rows a warp (CDNA: 32), in the best
// fragment that has such a tile.
Config gpu_default(const AttentionProblem& p, const Target& t) {
  struct Way {
    LeftOperand left;
    int stages;
    Staging staging;
  };
  // From the most registers to the fewest.
  constexpr Way kWays[] = {{LeftOperand::registers, 2, Staging::ahead},
                           {LeftOperand::registers, 1, Staging::ahead},
                           {LeftOperand::scratchpad, 2, Staging::ahead},
                           {LeftOperand::scratchpad, 1, Staging::ahead},
                           {LeftOperand::registers, 1, Staging::in_turn},
                           {LeftOperand::scratchpad, 1, Staging::in_turn}};
  const Space space = gpu_space(p, t);
  const bool pack = p.group() > 1 && p.seq_q < kFewQueries;
  std::optional<Config> smallest;
  for (const Fragment fragment : schedules::best_fragments(t, p.dtype)) {
    const Swizzle swizzle =
        fragment == Fragment::fma_16x16x16 ? Swizzle::folded : Swizzle::exclusive;
    const int64_t rows_a_warp = fragment == Fragment::mfma_16x16x16 ? 32 : 16;
    for (int64_t block_m : {128, 64, 32, 16}) {
      const int64_t warps = std::max<int64_t>(1, block_m / rows_a_warp);
      if (warps * t.vector_lanes > kMostThreads) continue;
      for (int64_t block_n : {64, 32, 16}) {
        int64_t splits = 1;
        while (blocks(p, pack, block_m) * splits < t.threads && 2 * splits * block_n <= p.seq_kv &&
               splits < 32) {
          splits *= 2;
        }
        for (const Way& way : kWays) {
          std::vector<std::pair<std::string, int64_t>> values = {
              {"pack_heads", pack},
              {"block_m", block_m},
              {"block_n", block_n},
              {"key_splits", splits},
              {"fragment", int64_t(fragment)},
              {"warps", warps},
              {"stages", way.stages},
              {"swizzle", int64_t(swizzle)},
              {"staging", int64_t(way.staging)},
              {"left_operand", int64_t(way.left)}};
          if (schedules::chiplets(t) > 1) values.emplace_back("chiplets", 1);
          if (schedules::has_roles(t, p.dtype)) {
            values.emplace_back("roles", int64_t(Roles::alike));
            values.emplace_back("copies", int64_t(Copies::threads));
          }
          const Config config(values);
          if (!space.check(config).ok()) continue;
          smallest = config;
          if (schedules::holds_key_loop(config, t, p.dtype, p.head_dim)) return config;
        }
      }
    }
  }
  // None of these fits: the one that spills least, or any point rather than none.
  return smallest ? *smallest : space.config(space.enumerate()->front());
}

}  // namespace kiln::attention_forward
