#include "templates/attention_forward/search_space.h"

#include <algorithm>
#include <cmath>

#include "core/ceil_div.h"
#include "templates/tile/footprint.h"

namespace kiln::attention_forward {

namespace {

using tile::footprint::panel_rows;
using tile::footprint::stream_bytes;

constexpr int kSpaceVersion = 3;
// Accumulators of a register block: 16 or 32 registers less the operands' (tile/footprint.h).
constexpr int kSums = 12, kSumsOfLargeFile = 24;
// Keys are padded to a register block's columns: more of them gain nothing.
constexpr int kMostColumns = 12;
// Up to this many rows columns in lanes always win, beyond that many rows in lanes do.
constexpr int kFewRows = 8, kMaxRowsForColumns = 32;
// One vector of rows among more than these matters less than what register blocks of single vectors
// load more.
constexpr int kFewVectors = 25;
constexpr int64_t kColumnsBlockN = 96;  // with columns in lanes its length moves nothing
// The default's model of a block: rows whose products take as long as all else that a chunk of keys
// costs, and what chunks of 96 keys gain over 48 (measured with AVX2, f32, head dimension 128).
constexpr double kChunkCost = 2, kLongChunkGain = 1.01;
// Below this a tile of 48 rows, 48 keys and the longest head would not fit.
constexpr int64_t kLeastCache = 256 << 10;
constexpr int kSmallTile = 48;  // rows of a tile

int64_t columns_block_m(int64_t rows) {
  int64_t m = 1;
  while (m < rows && m < kFewRows)
    m *= 2;
  return m;
}

bool rows_in_lanes(const Config& c) {
  return c.at("lanes") == kLanesRows;
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
       .values = large ? std::vector<int64_t>{1, 2, 4} : std::vector<int64_t>{2, 3}},
      {.name = "block_m",
       .documentation = "rows of a tile",
       .values = {1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256}},
      {.name = "block_n",
       .documentation = "keys of a chunk",
       .values = t.bf16_dot ? std::vector<int64_t>{48, 96, 192} : std::vector<int64_t>{48, 96}},
      {.name = "key_splits",
       .documentation = "parts into which the keys are cut, to give every thread a block",
       .values = {1, 2, 4, 8, 16, 32}},
  };
}

std::vector<Constraint> constraints(const AttentionProblem& p, const Target& t) {
  const int lanes = t.vector_lanes;
  return {
      {"lanes = columns with at most 8 rows of one head, or of packed heads; rows with more than "
       "32",
       {"lanes", "pack_heads"},
       [=](const Config& c) {
         const int64_t rows = p.rows(c.at("pack_heads") != 0);
         return rows <= kFewRows ? !rows_in_lanes(c)
                                 : rows_in_lanes(c) || rows <= kMaxRowsForColumns;
       }},
      {"register_rows = 1 only for an odd number of vectors of rows, at most 25",
       {"lanes", "pack_heads", "register_rows"},
       [=](const Config& c) {
         const int64_t vectors = ceil_div(p.rows(c.at("pack_heads") != 0), lanes);
         return c.at("register_rows") != 1 || (vectors % 2 != 0 && vectors <= kFewVectors);
       }},
      {"lanes = columns: register_rows = 2 (unused)",
       {"lanes", "register_rows"},
       [](const Config& c) { return rows_in_lanes(c) || c.at("register_rows") == 2; }},
      {"lanes = rows: block_m is a multiple of lanes * register_rows, below twice the rows unless "
       "it is "
       "48 or less, at least half the rows unless it is 48 or more; lanes = columns: the least "
       "power of "
       "two that holds the rows, at most 8",
       {"lanes", "pack_heads", "register_rows", "block_m"},
       [=](const Config& c) {
         const int64_t m = c.at("block_m"), rows = p.rows(c.at("pack_heads") != 0);
         if (!rows_in_lanes(c)) return m == columns_block_m(rows);
         return m % panel_rows(lanes, int(c.at("register_rows"))) == 0 &&
                (m < 2 * rows || m <= kSmallTile) && (m >= kSmallTile || rows <= 2 * m);
       }},
      {"lanes = columns: block_n = 96",
       {"lanes", "block_n"},
       [](const Config& c) { return rows_in_lanes(c) || c.at("block_n") == kColumnsBlockN; }},
      {"lanes = rows: block_n is less than twice the keys there are, or 48",
       {"lanes", "block_n"},
       [=](const Config& c) {
         return !rows_in_lanes(c) || c.at("block_n") <= 48 || c.at("block_n") < 2 * p.seq_kv;
       }},
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
  };
}

}  // namespace

Space attention_space(const AttentionProblem& problem, const Target& target) {
  return Space(kSpaceVersion, parameters(problem, target), constraints(problem, target));
}

bool operands_in_place(const AttentionProblem& p, const Config& config, const Target& t) {
  return !rows_in_lanes(config) || p.dtype == Dtype::kF32 ||
         (p.dtype == Dtype::kBF16 && t.bf16_dot);
}

int64_t register_columns(const Config& config, const Target& target) {
  const int64_t sums = target.vector_registers >= 32 ? kSumsOfLargeFile : kSums;
  return std::min<int64_t>(kMostColumns, sums / config.at("register_rows"));
}

Config attention_default(const AttentionProblem& p, const Target& t) {
  const Space space = attention_space(p, t);
  const bool pack = p.group() > 1 && p.seq_q < 32;
  const int64_t rows = p.rows(pack);
  const bool few = rows <= kFewRows;

  Config best;
  double best_score = 0;
  // On a tie, larger register blocks where registers abound, which load less; and smaller tiles.
  const bool large = t.vector_registers >= 32;
  for (int64_t register_rows : large ? std::vector<int64_t>{4, 2, 1} : std::vector<int64_t>{2, 3}) {
    for (int64_t block_m : {1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256}) {
      const int64_t count = blocks(p, pack, block_m);
      for (int64_t block_n : {96, 48}) {
        int64_t splits = 1;
        while (count * splits < t.threads && 2 * splits * block_n <= p.seq_kv && splits < 32) {
          splits *= 2;
        }
        const Config config({{"lanes", few ? kLanesColumns : kLanesRows},
                             {"pack_heads", pack},
                             {"register_rows", register_rows},
                             {"block_m", block_m},
                             {"block_n", block_n},
                             {"key_splits", splits}});
        if (!space.check(config).ok()) continue;
        // Rows that are there of those computed; threads busy in the last round of blocks; and what
        // each chunk of keys costs besides its products, dealt out over the block's rows.
        const int64_t panel = few ? 1 : panel_rows(t.vector_lanes, int(register_rows));
        const double useful = double(rows) / double(ceil_div(rows, panel) * panel);
        const double rounds = double(count * splits) / t.threads;
        const double score = useful * rounds / std::ceil(rounds) /
                             (1 + kChunkCost * double(ceil_div(rows, block_m)) / double(rows)) *
                             (block_n == 96 ? kLongChunkGain : 1);
        if (score > best_score) {
          best_score = score;
          best = config;
        }
      }
    }
  }
  // None of these fits (a tiny cache): any point is better than none.
  return best_score > 0 ? best : space.config(space.enumerate()->front());
}

}  // namespace kiln::attention_forward
