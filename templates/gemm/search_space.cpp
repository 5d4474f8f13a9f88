#include "templates/gemm/search_space.h"

#include <algorithm>
#include <cmath>

#include "core/ceil_div.h"
#include "templates/tile/footprint.h"

namespace kiln::gemm {

namespace {

namespace footprint = tile::footprint;

constexpr int kSpaceVersion = 2;
// Accumulators of a register block: 16 or 32 registers less the operands'.
constexpr int64_t kSums = 12, kSumsOfLargeFile = 24;
constexpr int64_t kRegisterRows = 6;  // the default's
// Of a tile's sums where the last-level cache is small.
constexpr int64_t kFewSumBytes = 768 << 10;
// Up to this many rows reading the right operand in place always wins, beyond that many packing it.
constexpr int64_t kFewestRowsToPack = 4, kMostRowsInPlace = 8;
// Of k, in elements: with chunks of this length sums are loaded and stored seldom enough.
constexpr int64_t kLongestChunk = 512;
constexpr int64_t kLeastCache = 256 << 10;
// The default's model of a tile: what copying an element of an operand, and loading and storing a
// sum, cost in products.
constexpr double kCopyCost = 8, kSumCost = 12;

std::vector<int64_t> register_rows(const Target& t) {
  return t.vector_registers >= 32 ? std::vector<int64_t>{6, 8, 12} : std::vector<int64_t>{4, 6};
}

int64_t vectors_beside(int64_t rows, const Target& t) {
  return (t.vector_registers >= 32 ? kSumsOfLargeFile : kSums) / rows;
}

// For every target, the size cut into even parts as near to it as can be, in whole units.
void add_parts(std::vector<int64_t>& values, int64_t size, std::initializer_list<int64_t> targets,
               int64_t unit) {
  for (int64_t target : targets) {
    const int64_t parts = std::max<int64_t>(1, (size + target / 2) / target);
    values.push_back(ceil_div(ceil_div(size, parts), unit) * unit);
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

int64_t most_rows_in_place(const Target& t) {
  return std::min<int64_t>(kMostRowsInPlace, t.vector_lanes);
}
// The least power of two that holds the rows.
int64_t rows_in_place(const GemmProblem& p) {
  int64_t rows = 1;
  while (rows < p.m)
    rows *= 2;
  return rows;
}
bool in_place(const Config& c) {
  return c.at("operands") == kInPlace;
}

std::vector<Parameter> parameters(const GemmProblem& p, const Target& t) {
  const bool in_place = p.m <= most_rows_in_place(t), staged = p.m > kFewestRowsToPack || !in_place;
  Parameter operands{.name = "operands",
                     .documentation = "b is read in place, for few rows, or packed first",
                     .values = {},
                     .labels = {}};
  if (in_place) {
    operands.values.push_back(kInPlace);
    operands.labels.emplace_back("in_place");
  }
  if (staged) {
    operands.values.push_back(kStaged);
    operands.labels.emplace_back("staged");
  }
  Parameter rows{.name = "register_rows",
                 .documentation =
                     "rows of a register block; it has as many vectors of columns as registers "
                     "allow",
                 .values = register_rows(t)};
  Parameter m{.name = "block_m", .documentation = "rows of a tile", .values = {}};
  Parameter n{.name = "block_n", .documentation = "columns of a tile", .values = {}};
  Parameter k{
      .name = "block_k", .documentation = "of k: a chunk that is packed at once", .values = {}};
  if (in_place) {
    m.values.push_back(rows_in_place(p));
    add_parts(n.values, p.n, {128, 512, 1024, 2048, 4096}, t.vector_lanes);
    add_parts(k.values, p.k, {512, 1024, 4096}, 16);
  }
  add_parts(m.values, p.m, {48, 96, 168, 256, 384, 512, 1024}, t.vector_registers >= 32 ? 24 : 12);
  for (int64_t r : rows.values) {
    add_parts(n.values, p.n, {64, 128, 256, 384, 512, 1024}, t.vector_lanes * vectors_beside(r, t));
  }
  add_parts(k.values, p.k, {128, 256, 384, 512}, 16);
  Parameter stores{.name = "stores",
                   .documentation = "results stay in the cache or are streamed past it",
                   .values = {kCached},
                   .labels = {"cached"}};
  if (p.batch * p.m * p.n * int64_t(size_of(p.dtype)) > t.llc_bytes / 2) {
    stores.values.push_back(kStreamed);
    stores.labels.emplace_back("streamed");
  }
  return {operands, rows, m, n, k, order_parameter(), stores};
}

std::vector<Constraint> constraints(const GemmProblem& p, const Target& t) {
  const int64_t least_m = 48, least_n = 64, least_rows = register_rows(t).front();
  const int64_t staged_unit = t.vector_registers >= 32 ? 24 : 12;
  return {
      {"operands = in_place: register_rows is the least (unused)",
       {"operands", "register_rows"},
       [=](const Config& c) { return !in_place(c) || c.at("register_rows") == least_rows; }},
      {"operands = in_place: block_m is the least power of two that holds the rows; staged: a "
       "multiple of register blocks",
       {"operands", "block_m"},
       [=](const Config& c) {
         return in_place(c) ? c.at("block_m") == rows_in_place(p)
                            : c.at("block_m") % staged_unit == 0;
       }},
      {"operands = staged: block_n is a multiple of lanes * vectors of a register block",
       {"operands", "register_rows", "block_n"},
       [=](const Config& c) {
         return c.at("block_n") %
                    (in_place(c) ? t.vector_lanes : t.vector_lanes * register_vectors(c, t)) ==
                0;
       }},
      {"operands = staged: block_k is at most 512",
       {"operands", "block_k"},
       [=](const Config& c) { return in_place(c) || c.at("block_k") <= kLongestChunk; }},
      {"operands = in_place: results are cached",
       {"operands", "stores"},
       [=](const Config& c) { return !in_place(c) || c.at("stores") == kCached; }},
      {"the sums of a tile fit a thread's half of the last-level cache",
       {"register_rows", "block_m", "block_n"},
       [=](const Config& c) {
         return footprint::sums_bytes(int(c.at("block_m")), int(c.at("block_n")),
                                      int(c.at("register_rows"))) <=
                std::max<int64_t>(t.llc_bytes / (2 * t.threads), kFewSumBytes);
       }},
      {"there is a tile for every thread, or tiles are small",
       {"block_m", "block_n"},
       [=](const Config& c) {
         return p.batch * tiles_m(p, c) * tiles_n(p, c) >= t.threads ||
                (c.at("block_m") < 2 * least_m && c.at("block_n") < 2 * least_n);
       }},
      {"order = rows_first where there is but one row or column of tiles",
       {"block_m", "block_n", "order"},
       [=](const Config& c) {
         return c.at("order") == kRowsFirst || (tiles_m(p, c) > 1 && tiles_n(p, c) > 1);
       }},
  };
}

// How much of the time goes into products that are needed, by a model.
double score(const GemmProblem& p, const Target& t, const Config& c) {
  const double m = double(c.at("block_m")), n = double(c.at("block_n"));
  const double k = double(std::min(c.at("block_k"), p.k));
  const double rounds = double(p.batch * tiles_m(p, c) * tiles_n(p, c)) / t.threads;
  const double busy = rounds / std::ceil(rounds);
  const double panel = double(t.vector_lanes * register_vectors(c, t));
  const double useful = double(p.n) / (std::ceil(double(p.n) / panel) * panel);
  const double rows = double(left_rows(c, t));
  const double cache = double(t.l2_bytes) / (4 * (rows * k + n * panel + rows * panel));
  return busy * useful * std::min(1.0, 0.9 + 0.1 * cache) /
         (1 + kCopyCost / std::min(m, double(p.m)) + kCopyCost / std::min(n, double(p.n)) +
          kSumCost / k);
}

}  // namespace

int64_t k_splits(const Config& c) {
  return c.find("k_splits").value_or(1);
}
int64_t tiles_m(const GemmProblem& p, const Config& c) {
  return ceil_div(p.m, c.at("block_m"));
}
int64_t tiles_n(const GemmProblem& p, const Config& c) {
  return ceil_div(p.n, c.at("block_n"));
}

Parameter order_parameter() {
  return {.name = "order",
          .documentation =
              "which tiles follow each other: those of the same columns, or those of the same rows",
          .values = {kRowsFirst, kColumnsFirst},
          .labels = {"rows_first", "columns_first"}};
}

int64_t register_vectors(const Config& config, const Target& target) {
  return vectors_beside(config.at("register_rows"), target);
}

int64_t left_rows(const Config& config, const Target& target) {
  const int64_t rows = config.at("block_m"), row_bytes = 4 * config.at("block_k");
  const int64_t cache = std::max<int64_t>(target.l2_bytes, kLeastCache);
  const int64_t parts = ceil_div(rows * row_bytes, cache);
  const int64_t unit = config.at("register_rows");
  return ceil_div(ceil_div(rows, parts), unit) * unit;
}

Space gemm_space(const GemmProblem& problem, const Target& target) {
  return Space(kSpaceVersion, parameters(problem, target), constraints(problem, target));
}

Config gemm_default(const GemmProblem& p, const Target& t) {
  const Space space = gemm_space(p, t);
  const auto values = [&](std::string_view name) {
    for (const Parameter& parameter : space.parameters()) {
      if (parameter.name == name) return parameter.values;
    }
    return std::vector<int64_t>{};
  };
  // Neighbours share the operand that is read again more often.
  const int64_t wanted_order = p.m > p.n ? kColumnsFirst : kRowsFirst;
  const int64_t operands = values("operands").front();
  const int64_t rows = operands == kInPlace ? values("register_rows").front() : kRegisterRows;
  const int64_t stores = operands == kInPlace ? kCached : values("stores").back();
  Config best;
  double best_score = 0;
  for (int64_t m : values("block_m")) {
    for (int64_t n : values("block_n")) {
      for (int64_t k : values("block_k")) {
        for (int64_t order : {wanted_order, kRowsFirst}) {
          const Config config({{"operands", operands},
                               {"register_rows", rows},
                               {"block_m", m},
                               {"block_n", n},
                               {"block_k", k},
                               {"order", order},
                               {"stores", stores}});
          if (!space.check(config).ok()) continue;
          const double s = score(p, t, config);
          if (s > best_score) {
            best_score = s;
            best = config;
          }
        }
      }
    }
  }
  // None of these fits (a tiny cache): any point is better than none.
  return best_score > 0 ? best : space.config(space.enumerate()->front());
}

}  // namespace kiln::gemm
