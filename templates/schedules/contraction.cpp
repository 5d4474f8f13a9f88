#include "templates/schedules/contraction.h"

#include <algorithm>
#include <utility>

#include "templates/schedules/simt.h"
#include "templates/tile/simt/footprint.h"

namespace kiln::schedules {
namespace {

namespace footprint = tile::footprint;

// Registers that addresses take beside these: the least, and as much as machine code shows.
constexpr int64_t kLeastOtherRegisters = 36, kOtherRegisters = 76;
// The same where chunks pass through registers: their addresses stay alive through the products.
constexpr int64_t kOtherRegistersStaged = 124;
// And on CDNA, whose scheduler fills the registers of both kinds, relative to the tiles.
constexpr double kMfmaRegisters = 1.5;
constexpr int64_t kMostOperandRegisters = 256;
// Pieces of 16 bytes of an operand that a thread holds on their way: compilers do not unroll the
// loops over more, and put what they hold into memory.
constexpr int64_t kMostHeldPieces = 8, kPieceBytes = 16;

int number(const Config& c, const char* name) {
  return int(c.at(name));
}

int64_t registers(const Config& c, const Target& t, Dtype dtype) {
  return footprint::contraction_registers(fragment_of(c), number(c, "block_m"),
                                          number(c, "block_n"), number(c, "block_k"),
                                          int(size_of(dtype)), number(c, "warps"),
                                          number(c, "column_warps"), t.vector_lanes, t.async_copy);
}

}  // namespace

std::vector<Parameter> contraction_parameters(const Target& target, Dtype dtype) {
  std::vector<Parameter> all = schedule_parameters(target, dtype);
  std::ranges::find(all, "stages", &Parameter::name)->values = {1, 2, 3, 4};
  all.push_back({.name = "column_warps",
                 .documentation = "warps beside each other, which share a tile's columns",
                 .values = {1, 2, 4}});
  return all;
}

std::vector<Constraint> contraction_constraints(const Target& t, const Operands& operands) {
  std::vector<Constraint> all = {
      {"block_m and block_n are multiples of 16 for each of the warps along them",
       {"block_m", "block_n", "warps", "column_warps"},
       [](const Config& c) {
         return footprint::tile_fits_warps(number(c, "block_m"), number(c, "block_n"),
                                           number(c, "warps"), number(c, "column_warps"));
       }},
      {"wgmma takes groups of four warps, and all columns of a tile",
       {"fragment", "warps", "column_warps"},
       [](const Config& c) {
         return footprint::groups_fit_warps(fragment_of(c), number(c, "warps"),
                                            number(c, "column_warps"));
       }},
      {"the slots fit the scratchpad",
       {"block_m", "block_n", "block_k", "fragment", "stages"},
       [=](const Config& c) { return contraction_scratchpad(c, operands) <= t.scratchpad_bytes; }},
      {"the tile fits the registers",
       {"block_m", "block_n", "block_k", "fragment", "warps", "column_warps"},
       [=](const Config& c) {
         return registers(c, t, operands.dtype) + kLeastOtherRegisters <= t.thread_registers;
       }},
  };
  for (Constraint& constraint : schedule_constraints(t))
    all.push_back(std::move(constraint));
  return all;
}

std::vector<KernelSource::Member> contraction_members(const Config& config) {
  std::vector<KernelSource::Member> members = simt_members(config);
  members.push_back(KernelSource::Member::integer("column_warps", config.at("column_warps")));
  return members;
}

int64_t contraction_scratchpad(const Config& c, const Operands& operands) {
  return footprint::contraction_bytes(fragment_of(c), operands.left_down, operands.right_down,
                                      number(c, "block_m"), number(c, "block_n"),
                                      number(c, "block_k"), int(size_of(operands.dtype)),
                                      number(c, "stages"));
}

LeastTile least_tile(const Config& c) {
  return {.rows = footprint::least_rows(number(c, "warps"), number(c, "column_warps")),
          .columns = footprint::least_columns(number(c, "column_warps"))};
}

bool holds_contraction(const Config& c, const Target& t, Dtype dtype) {
  const bool async = footprint::copies_async(fragment_of(c), t.async_copy);
  const int64_t longer = std::max(c.at("block_m"), c.at("block_n"));
  const int64_t pieces = longer * c.at("block_k") * int64_t(size_of(dtype)) /
                         (kPieceBytes * c.at("warps") * t.vector_lanes);
  if (!async && pieces > kMostHeldPieces) return false;
  const double share = fragment_of(c) == tile::Fragment::mfma_16x16x16 ? kMfmaRegisters : 1;
  // CDNA's accumulation registers hold no operands of multiply-adds.
  const int64_t most = fragment_of(c) == tile::Fragment::fma_16x16x16
                           ? std::min<int64_t>(t.thread_registers, kMostOperandRegisters)
                           : t.thread_registers;
  return share * double(registers(c, t, dtype)) +
             double(async ? kOtherRegisters : kOtherRegistersStaged) <=
         double(most);
}

}  // namespace kiln::schedules
