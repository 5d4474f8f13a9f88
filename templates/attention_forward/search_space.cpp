#include "templates/attention_forward/search_space.h"

#include <algorithm>

#include "templates/tile/footprint.h"

namespace kiln::attention_forward {

namespace {

using tile::footprint::panel_rows;
using tile::footprint::stream_bytes;

constexpr int kSpaceVersion = 1;
// Accumulators of a register block: 16 or 32 registers less the operands' (tile/footprint.h).
constexpr int kSums = 12, kSumsOfLargeFile = 24;
constexpr int kMaxColumnsRows = 8;  // block_m with columns in lanes: rows are scalars
// With columns in lanes keys are read once: beyond this many rows rows in lanes always win.
constexpr int kMaxRowsForColumns = 32;
// Below this a tile of 48 rows, 48 keys and the longest head would not fit.
constexpr int64_t kLeastCache = 256 << 10;
constexpr int kSmallTile = 48;  // rows of a tile that no number of rows makes too large

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

bool rows_in_lanes(const Config& c) {
  return c.at("lanes") == kLanesRows;
}

// Whether a right operand can be used where it lies: products take its elements as they are.
bool in_place_possible(const AttentionProblem& p, const Target& t) {
  return p.dtype == Dtype::kF32 || (p.dtype == Dtype::kBF16 && t.bf16_dot);
}

int64_t blocks(const AttentionProblem& p, bool pack, int64_t block_m) {
  return p.batch * (pack ? p.heads_kv : p.heads_q) * ceil_div(p.rows(pack), block_m);
}

std::vector<Parameter> parameters(const AttentionProblem& p, const Target& t) {
  const bool large = t.vector_registers >= 32;
  return {
      {.name = "lanes",
       .documentation =
           "what lies in a vector's lanes: rows of a tile (many) or columns (few rows)",
       .values = {kLanesRows, kLanesColumns},
       .labels = {"rows", "columns"}},
      {.name = "pack_heads",
       .documentation = "query heads that share a key head become rows of one tile",
       .values = p.group() > 1 ? std::vector<int64_t>{0, 1} : std::vector<int64_t>{0}},
      {.name = "register_rows",
       .documentation =
           "vectors of rows in a register block; it has as many columns as registers allow",
       .values = large ? std::vector<int64_t>{2, 4} : std::vector<int64_t>{1, 2, 3}},
      {.name = "block_m",
       .documentation = "rows of a tile",
       .values = {1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256}},
      {.name = "block_n", .documentation = "keys of a chunk", .values = {32, 48, 64, 96, 128, 192}},
      {.name = "key_splits",
       .documentation = "parts into which the keys are cut, to give every thread a block",
       .values = {1, 2, 4, 8, 16, 32}},
      {.name = "operands",
       .documentation = "keys and values are used in place, or copied next to each other first",
       .values = {kOperandsInPlace, kOperandsStaged},
       .labels = {"in_place", "staged"}},
  };
}

std::vector<Constraint> constraints(const AttentionProblem& p, const Target& t) {
  const int lanes = t.vector_lanes;
  const bool in_place = in_place_possible(p, t);
  const int64_t least_register_rows = t.vector_registers >= 32 ? 2 : 1;
  return {
      {"lanes = columns: at most 32 rows of one head, or of packed heads, and register_rows unused",
       {"lanes", "pack_heads", "register_rows"},
       [=](const Config& c) {
         return rows_in_lanes(c) || (p.rows(c.at("pack_heads") != 0) <= kMaxRowsForColumns &&
                                     c.at("register_rows") == least_register_rows);
       }},
      {"lanes = rows: block_m is a multiple of lanes * register_rows; lanes = columns: at most 8",
       {"lanes", "register_rows", "block_m"},
       [=](const Config& c) {
         if (!rows_in_lanes(c)) return c.at("block_m") <= kMaxColumnsRows;
         return c.at("block_m") % panel_rows(lanes, int(c.at("register_rows"))) == 0;
       }},
      {"block_m is less than twice the rows there are, or small",
       {"lanes", "pack_heads", "block_m"},
       [=](const Config& c) {
         const int64_t m = c.at("block_m");
         return m < 2 * p.rows(c.at("pack_heads") != 0) || (rows_in_lanes(c) && m <= kSmallTile);
       }},
      {"block_n is a multiple of 48 with rows in lanes, of 32 with columns in lanes",
       {"lanes", "block_n"},
       [](const Config& c) { return c.at("block_n") % (rows_in_lanes(c) ? 48 : 32) == 0; }},
      {"block_n is less than twice the keys there are, or small",
       {"block_n"},
       [=](const Config& c) { return c.at("block_n") <= 48 || c.at("block_n") < 2 * p.seq_kv; }},
      {"the tiles of a block fit the second-level cache",
       {"block_m", "block_n"},
       [=](const Config& c) {
         return stream_bytes(int(c.at("block_m")), int(c.at("block_n")), int(p.head_dim), lanes) <=
                std::max<int64_t>(t.l2_bytes, kLeastCache);
       }},
      {"key_splits > 1 only where threads lack blocks, and no part is shorter than a chunk",
       {"pack_heads", "block_m", "block_n", "key_splits"},
       [=](const Config& c) {
         const int64_t splits = c.at("key_splits");
         return splits == 1 ||
                (blocks(p, c.at("pack_heads") != 0, c.at("block_m")) * splits <= 4 * t.threads &&
                 splits * c.at("block_n") <= p.seq_kv);
       }},
      {"operands = in_place only where the type allows it; columns in lanes are always in place",
       {"lanes", "operands"},
       [=](const Config& c) {
         const bool wants = c.at("operands") == kOperandsInPlace;
         return rows_in_lanes(c) ? in_place || !wants : wants;
       }},
  };
}

}  // namespace

Space attention_space(const AttentionProblem& problem, const Target& target) {
  return Space(kSpaceVersion, parameters(problem, target), constraints(problem, target));
}

int64_t register_columns(const Config& config, const Target& target) {
  return (target.vector_registers >= 32 ? kSumsOfLargeFile : kSums) / config.at("register_rows");
}

Config attention_default(const AttentionProblem& p, const Target& t) {
  const Space space = attention_space(p, t);
  const bool pack = p.group() > 1 && p.seq_q < 32;
  const int64_t rows = p.rows(pack);
  const bool few = rows <= kMaxColumnsRows;
  const bool in_place = few || in_place_possible(p, t);
  const bool large = t.vector_registers >= 32;
  const int64_t register_rows = large ? (few || rows <= 32 ? 2 : 4) : (few ? 1 : 2);
  // Staging is paid once for a block's rows, so that it wants more of them.
  std::vector<int64_t> rows_wanted = {in_place ? 64 : 128, 64, 96, 48, 32, 16, 8};
  if (few) rows_wanted = {8, 4, 2, 1};

  for (int64_t block_m : rows_wanted) {
    for (int64_t block_n : {96, 48, 64, 32}) {
      int64_t splits = 1;
      while (blocks(p, pack, block_m) * splits < t.threads && 2 * splits * block_n <= p.seq_kv &&
             splits < 32) {
        splits *= 2;
      }
      const Config config({{"lanes", few ? kLanesColumns : kLanesRows},
                           {"pack_heads", pack},
                           {"register_rows", register_rows},
                           {"block_m", block_m},
                           {"block_n", block_n},
                           {"key_splits", splits},
                           {"operands", in_place ? kOperandsInPlace : kOperandsStaged}});
      if (space.check(config).ok()) return config;
    }
  }
  // No shape of the above fits: any point is better than none.
  const auto points = space.enumerate();
  return space.config(points->front());
}

}  // namespace kiln::attention_forward
