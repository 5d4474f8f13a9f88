#include "templates/attention_forward/search_space.h"

#include <algorithm>

#include "templates/tile/footprint.h"

namespace kiln::attention_forward {

namespace {

using tile::footprint::available_registers;
using tile::footprint::panel_rows;
using tile::footprint::registers;
using tile::footprint::round_up;
using tile::footprint::stream_bytes;

constexpr int kSpaceVersion = 1;
constexpr int kMaxColumnsRows = 8;  // block_m with columns in lanes: rows are scalars
// Independent sums that hide the multiply-add's latency: 4 cycles, two a cycle.
constexpr int64_t kMinSums = 8;

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
           "what lies in a vector's lanes: rows of a tile (many rows) or columns (few)",
       .values = {kLanesRows, kLanesColumns},
       .labels = {"rows", "columns"}},
      {.name = "pack_heads",
       .documentation = "query heads that share a key head become rows of one tile",
       .values = p.group() > 1 ? std::vector<int64_t>{0, 1} : std::vector<int64_t>{0}},
      {.name = "register_rows",
       .documentation = "vectors of rows in a register block",
       .values = large ? std::vector<int64_t>{1, 2, 3, 4} : std::vector<int64_t>{1, 2, 3}},
      {.name = "register_columns",
       .documentation = "columns of a register block",
       .values = large ? std::vector<int64_t>{4, 6, 8, 12} : std::vector<int64_t>{4, 6, 12}},
      {.name = "block_m",
       .documentation = "rows of a tile",
       .values = {1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256}},
      {.name = "block_n",
       .documentation = "keys of a chunk",
       .values = {16, 32, 48, 64, 96, 128, 192, 256}},
      {.name = "key_splits",
       .documentation = "parts into which the keys are cut, to give every thread a block",
       .values = {1, 2, 4, 8, 16, 32}},
      {.name = "operands",
       .documentation = "keys and values are used in place, or copied next to each other first",
       .values = {kOperandsInPlace, kOperandsStaged},
       .labels = {"in_place", "staged"}},
      {.name = "prefetch",
       .documentation = "fetch the next chunk into the cache during the products of this one",
       .values = {0, 1}},
  };
}

std::vector<Constraint> constraints(const AttentionProblem& p, const Target& t) {
  const int lanes = t.vector_lanes;
  const bool in_place = in_place_possible(p, t);
  return {
      {"lanes = columns: register_rows = 1 and register_columns = 4 (unused)",
       {"lanes", "register_rows", "register_columns"},
       [](const Config& c) {
         return rows_in_lanes(c) || (c.at("register_rows") == 1 && c.at("register_columns") == 4);
       }},
      {"lanes = rows: the register block fits the registers and hides the multiply-add's latency",
       {"lanes", "register_rows", "register_columns"},
       [=](const Config& c) {
         const int rows = int(c.at("register_rows")), columns = int(c.at("register_columns"));
         return !rows_in_lanes(c) || (registers(rows, columns) <= available_registers(lanes) &&
                                      rows * columns >= kMinSums);
       }},
      {"lanes = rows: block_m is a multiple of lanes * register_rows; lanes = columns: at most 8",
       {"lanes", "register_rows", "block_m"},
       [=](const Config& c) {
         if (!rows_in_lanes(c)) return c.at("block_m") <= kMaxColumnsRows;
         return c.at("block_m") % panel_rows(lanes, int(c.at("register_rows"))) == 0;
       }},
      {"block_m exceeds the rows there are by less than one panel",
       {"lanes", "pack_heads", "register_rows", "block_m"},
       [=](const Config& c) {
         const int64_t rows = p.rows(c.at("pack_heads") != 0);
         const int64_t m = c.at("block_m");
         if (!rows_in_lanes(c)) return m < 2 * rows;
         return m <= round_up(int(std::min<int64_t>(rows, 1 << 20)),
                              panel_rows(lanes, int(c.at("register_rows"))));
       }},
      {"block_n is a multiple of register_columns, with lanes = columns of the lanes",
       {"lanes", "register_columns", "block_n"},
       [=](const Config& c) {
         return c.at("block_n") % (rows_in_lanes(c) ? c.at("register_columns") : lanes) == 0;
       }},
      {"block_n is less than twice the keys there are",
       {"block_n"},
       [=](const Config& c) { return c.at("block_n") == 16 || c.at("block_n") < 2 * p.seq_kv; }},
      {"the tiles of a block fit the second-level cache",
       {"block_m", "block_n"},
       [=](const Config& c) {
         return stream_bytes(int(c.at("block_m")), int(c.at("block_n")), int(p.head_dim), lanes) <=
                std::max<int64_t>(t.l2_bytes, 256 << 10);
       }},
      {"key_splits > 1 only where threads would lack blocks, and no split is shorter than a chunk",
       {"pack_heads", "block_m", "block_n", "key_splits"},
       [=](const Config& c) {
         const int64_t splits = c.at("key_splits");
         return splits == 1 ||
                (blocks(p, c.at("pack_heads") != 0, c.at("block_m")) * splits <= 8 * t.threads &&
                 splits * c.at("block_n") <= p.seq_kv);
       }},
      {"operands = in_place only where the type allows it; lanes = columns is always in place",
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

Config attention_default(const AttentionProblem& p, const Target& t) {
  const Space space = attention_space(p, t);
  const bool pack = p.group() > 1 && p.seq_q < 32;
  const int64_t rows = p.rows(pack);
  const bool few = rows <= kMaxColumnsRows;
  const bool in_place = few || in_place_possible(p, t);
  const bool large = t.vector_registers >= 32;
  const int64_t register_rows = few ? 1 : !large || rows <= 32 ? 2 : 4;
  const int64_t register_columns = few ? 4 : large && register_rows == 2 ? 12 : 6;
  // Staging is paid once for a block's rows, so that it wants more of them.
  std::vector<int64_t> rows_wanted = {in_place ? 64 : 128, 64, 96, 48, 32, 16, 8};
  if (few) rows_wanted = {8, 4, 2, 1};

  for (int64_t block_m : rows_wanted) {
    for (int64_t block_n : {96, 48, 64, 32, 16}) {
      int64_t splits = 1;
      while (blocks(p, pack, block_m) * splits < t.threads && 2 * splits * block_n <= p.seq_kv &&
             splits < 32) {
        splits *= 2;
      }
      const Config config({{"lanes", few ? kLanesColumns : kLanesRows},
                           {"pack_heads", pack},
                           {"register_rows", register_rows},
                           {"register_columns", register_columns},
                           {"block_m", block_m},
                           {"block_n", block_n},
                           {"key_splits", splits},
                           {"operands", in_place ? kOperandsInPlace : kOperandsStaged},
                           {"prefetch", 1}});
      if (space.check(config).ok()) return config;
    }
  }
  // No shape of the above fits: any point is better than none.
  const auto points = space.enumerate();
  return space.config(points->front());
}

}  // namespace kiln::attention_forward
