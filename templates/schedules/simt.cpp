#include "templates/schedules/simt.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <utility>

#include "templates/tile/simt/footprint.h"

namespace kiln::schedules {
namespace {

namespace footprint = tile::footprint;
using tile::Copies;
using tile::Fragment;
using tile::LeftOperand;
using tile::Roles;
using tile::Staging;
using tile::Swizzle;

struct NamedFragment {
  Fragment value;
  const char* name;
};
constexpr NamedFragment kFragments[] = {
    {Fragment::fma_16x16x16, "fma_16x16x16"},   {Fragment::mma_m16n8k16, "mma_m16n8k16"},
    {Fragment::mfma_16x16x16, "mfma_16x16x16"}, {Fragment::wmma_gfx11, "wmma_gfx11"},
    {Fragment::wmma_gfx12, "wmma_gfx12"},       {Fragment::wgmma_m64k16, "wgmma_m64k16"},
};
constexpr const char* kSwizzles[] = {"none", "exclusive", "folded"};
constexpr const char* kRoles[] = {"alike", "producer", "ping_pong"};
constexpr const char* kCopies[] = {"threads", "bulk"};
// Bulk copies take strides that are multiples of so many bytes.
constexpr int64_t kMapGranule = 16;
constexpr const char* kStagings[] = {"ahead", "in_turn", "direct"};
constexpr const char* kLeftOperands[] = {"registers", "scratchpad"};
// A left operand of fewer registers a thread is not worth reading again and again.
constexpr int kLeastParked = 32;

// Registers that addresses, rows and right operands take beside the tiles.
constexpr int64_t kOtherRegisters = 48;
// What machine code shows that compilers take beside them where chunks pass through registers; with
// multiply-adds more, for every key of a chunk; and on CDNA, whose scheduler fills the registers of
// both kinds, relative to the tiles.
constexpr int64_t kOtherRegistersStaged = 100, kOtherRegistersFma = 100, kFmaRegistersOfKey = 4;
constexpr double kMfmaRegisters = 2.3;

const char* name_of(Fragment fragment) {
  return std::ranges::find(kFragments, fragment, &NamedFragment::value)->name;
}

// In the order of the enumeration, as values of a parameter must be.
std::vector<NamedFragment> fragments(const Target& target, Dtype dtype) {
  std::vector<NamedFragment> found;
  for (const NamedFragment& f : kFragments) {
    const bool has = f.value == Fragment::fma_16x16x16 ||
                     std::ranges::find(target.fragments, f.name) != target.fragments.end();
    if (has && footprint::fragment_suits(f.value, int(size_of(dtype)))) found.push_back(f);
  }
  return found;
}

int number(const Config& c, const char* name) {
  return int(c.at(name));
}

// Absent where no fragment of the target's takes a producer.
Roles roles_of(const Config& c) {
  return Roles(c.find("roles").value_or(int64_t(Roles::alike)));
}

// Of those that multiply.
int64_t thread_registers(const Config& c, const Target& t) {
  const bool shared_out = footprint::shares_registers(number(c, "warps"), roles_of(c));
  return shared_out ? footprint::kConsumerRegisters : t.thread_registers;
}

bool async(const Config& c, const Target& t) {
  return footprint::copies_async(fragment_of(c), t.async_copy);
}

int held_operands(const Config& c, const Target& t) {
  return footprint::held_operands(fragment_of(c), t.async_copy,
                                  Staging(c.find("staging").value_or(int64_t(Staging::ahead))),
                                  number(c, "stages"));
}

bool parks_left(const Config& c) {
  return c.find("left_operand") == int64_t(LeftOperand::scratchpad);
}

int left_registers(const Config& c, const Target& t, Dtype dtype, int64_t depth) {
  return footprint::left_registers(fragment_of(c), number(c, "block_m"), int(depth),
                                   int(size_of(dtype)), number(c, "warps"), t.vector_lanes);
}

// Of a thread, for tiles.
int64_t tile_registers(const Config& c, const Target& t, Dtype dtype, int64_t depth) {
  return footprint::stream_registers(number(c, "block_m"), number(c, "block_n"), int(depth),
                                     int(size_of(dtype)), number(c, "warps"), t.vector_lanes,
                                     held_operands(c, t)) +
         (parks_left(c) ? 0 : left_registers(c, t, dtype, depth));
}

}  // namespace

bool copies_in_bulk(const Config& config) {
  return config.find("copies") == int64_t(Copies::bulk);
}

Argument tensor_map(const Config& config, const Buffer& buffer, int row_axis, int block_rows) {
  const int last = int(buffer.shape.size()) - 1;
  const auto element = int(size_of(buffer.dtype));
  TensorMap map{.axes = {last, row_axis}, .box = {}, .swizzle = {}};
  for (int axis = last - 1; axis >= 0; --axis) {
    if (axis != row_axis) map.axes.push_back(axis);
  }
  const int columns = footprint::up_to(std::stoi(buffer.shape.back()), footprint::kAtom);
  const int panel = footprint::panel_bytes(fragment_of(config), columns * element);
  map.swizzle = panel == 128  ? TensorMap::Swizzle::k128Bytes
                : panel == 64 ? TensorMap::Swizzle::k64Bytes
                              : TensorMap::Swizzle::k32Bytes;
  map.box.assign(map.axes.size(), 1);
  map.box[0] = panel / element;
  map.box[1] = block_rows;
  return {Argument::Kind::kTensorMap, buffer.name, std::move(map)};
}

Fragment fragment_of(const Config& config) {
  return Fragment(config.at("fragment"));
}

std::vector<Fragment> best_fragments(const Target& target, Dtype dtype) {
  std::vector<Fragment> found;
  for (const std::string& name : target.fragments) {
    for (const NamedFragment& f : fragments(target, dtype)) {
      if (name == f.name) found.push_back(f.value);
    }
  }
  if (found.empty()) found.push_back(Fragment::fma_16x16x16);
  return found;
}

bool has_roles(const Target& target, Dtype dtype) {
  return std::ranges::any_of(fragments(target, dtype),
                             [](const auto& f) { return footprint::takes_groups(f.value); });
}

std::vector<Parameter> schedule_parameters(const Target& target, Dtype dtype) {
  Parameter fragment{.name = "fragment",
                     .documentation = "matrix instruction, or plain multiply-adds",
                     .values = {}};
  for (const NamedFragment& f : fragments(target, dtype)) {
    fragment.values.push_back(int64_t(f.value));
    fragment.labels.push_back(f.name);
  }
  return {
      fragment,
      {.name = "warps",
       .documentation = "warps of a block, which share its rows",
       .values = {1, 2, 4, 8}},
      {.name = "stages",
       .documentation = "slots of scratchpad that chunks of right operands pass through",
       .values = {1, 2, 3}},
      {.name = "swizzle",
       .documentation = "order of the 16-byte chunks of a row in scratchpad",
       .values = {int64_t(Swizzle::exclusive), int64_t(Swizzle::folded)},
       .labels = {kSwizzles[int(Swizzle::exclusive)], kSwizzles[int(Swizzle::folded)]}},
  };
}

std::vector<Parameter> simt_parameters(const Target& target, Dtype dtype) {
  std::vector<Parameter> all = schedule_parameters(target, dtype);
  if (has_roles(target, dtype)) {
    all.push_back(
        {.name = "roles",
         .documentation = "all warps copy and multiply, or a warpgroup more copies for "
                          "the others, which then overlap products with softmax, or "
                          "take turns at them besides",
         .values = {int64_t(Roles::alike), int64_t(Roles::producer), int64_t(Roles::ping_pong)},
         .labels = {std::begin(kRoles), std::end(kRoles)}});
    all.push_back({.name = "copies",
                   .documentation = "a producer's threads copy chunks, or bulk copies bring them "
                                    "by tensor maps",
                   .values = {int64_t(Copies::threads), int64_t(Copies::bulk)},
                   .labels = {std::begin(kCopies), std::end(kCopies)}});
  }
  return all;
}

std::vector<Constraint> schedule_constraints(const Target& t) {
  return {
      {"stages: up to 4 with asynchronous copies, 2 through registers",
       {"fragment", "stages"},
       [=](const Config& c) {
         return footprint::stages_possible(number(c, "stages"), async(c, t));
       }},
      {"swizzle = folded for multiply-adds, exclusive or folded for what uses neither ldmatrix nor "
       "wgmma",
       {"fragment", "swizzle"},
       [](const Config& c) {
         const auto swizzle = Swizzle(c.at("swizzle"));
         if (fragment_of(c) == Fragment::fma_16x16x16) return swizzle == Swizzle::folded;
         return footprint::swizzle_possible(fragment_of(c), swizzle);
       }},
      {"the block's warps are no more threads than the target allows",
       {"warps"},
       [=](const Config& c) {
         return footprint::threads(number(c, "warps"), t.vector_lanes) <= t.block_threads;
       }},
  };
}

std::vector<Constraint> simt_constraints(const Target& t, Dtype dtype, int64_t depth) {
  const bool roles = has_roles(t, dtype);
  // With the roles, where there are any.
  const auto names = [&](std::vector<std::string> parameters) {
    if (roles) parameters.emplace_back("roles");
    return parameters;
  };
  std::vector<Constraint> all = {
      {"block_m is 16, 32 or 64 rows a warp",
       {"block_m", "warps"},
       [](const Config& c) {
         return footprint::rows_fit_warps(number(c, "block_m"), number(c, "warps")) &&
                c.at("block_m") / c.at("warps") <= 64;
       }},
      {"wgmma takes groups of four warps",
       {"fragment", "warps"},
       [](const Config& c) {
         return footprint::groups_fit_warps(fragment_of(c), number(c, "warps"));
       }},
      {"slots, and a left operand that waits beside them, fit the scratchpad",
       names({"block_m", "block_n", "fragment", "stages", "left_operand"}),
       [=](const Config& c) { return stream_scratchpad(c, dtype, depth) <= t.scratchpad_bytes; }},
      {"the tiles fit the registers, or are the smallest",
       names({"block_m", "block_n", "fragment", "warps", "stages", "staging", "left_operand"}),
       [=](const Config& c) {
         if (c.at("block_m") == footprint::kAtom && c.at("block_n") == footprint::kAtom)
           return true;
         return tile_registers(c, t, dtype, depth) + kOtherRegisters <= thread_registers(c, t);
       }},
  };
  if (roles) {
    all.push_back({"roles = producer with wgmma, for one or two warpgroups; ping_pong for two",
                   {"fragment", "warps", "roles"},
                   [](const Config& c) {
                     return footprint::roles_possible(fragment_of(c), number(c, "warps"),
                                                      roles_of(c));
                   }});
    all.push_back({"copies = bulk for a producer, of rows of a multiple of 16 bytes",
                   {"roles", "copies"},
                   [=](const Config& c) {
                     return !copies_in_bulk(c) ||
                            (roles_of(c) != Roles::alike &&
                             depth * int64_t(size_of(dtype)) % kMapGranule == 0);
                   }});
  }
  for (Constraint& constraint : schedule_constraints(t))
    all.push_back(std::move(constraint));
  return all;
}

int64_t chiplets(const Target& target) {
  // CDNA 3 has so many compute units at work on each; emulated grids are dealt to as many as divide
  // few of them.
  constexpr int kUnits = 38, kEmulated = 3;
  if (target.kind == "emulator") return target.vector_lanes == 64 ? kEmulated : 1;
  return target.architecture == "gfx942" ? std::max(target.threads / kUnits, 1) : 1;
}

std::vector<Parameter> grid_parameters(const Target& target) {
  const int64_t several = chiplets(target);
  if (several == 1) return {};
  return {{.name = "chiplets",
           .documentation =
               "among which runs of neighbouring blocks are shared out; 1: blocks stay "
               "as the hardware deals them, in turn",
           .values = {1, several}}};
}

std::vector<Parameter> key_loop_parameters(const Target& t, Dtype dtype) {
  const bool passes = std::ranges::any_of(fragments(t, dtype), [&](const NamedFragment& f) {
    return !footprint::copies_async(f.value, t.async_copy);
  });
  Parameter staging{.name = "staging",
                    .documentation =
                        "how chunks that are not copied asynchronously are: through registers "
                        "ahead of their use, or in turn, which holds none, or directly",
                    .values = {},
                    .labels = {}};
  for (const Staging way : {Staging::ahead, Staging::in_turn, Staging::direct}) {
    if (!footprint::staging_possible(way, 1, !passes, t.vector_lanes)) continue;
    staging.values.push_back(int64_t(way));
    staging.labels.emplace_back(kStagings[int(way)]);
  }
  return {
      staging,
      {.name = "left_operand",
       .documentation =
           "where queries wait: scratchpad leaves registers to sums, and is read every chunk",
       .values = {int64_t(LeftOperand::registers), int64_t(LeftOperand::scratchpad)},
       .labels = {kLeftOperands[0], kLeftOperands[1]}},
  };
}

std::vector<Constraint> key_loop_constraints(const Target& t, Dtype dtype, int64_t depth) {
  return {
      {"staging = in_turn through registers and one slot, direct in waves of 64",
       {"fragment", "stages", "staging"},
       [=](const Config& c) {
         return footprint::staging_possible(Staging(c.at("staging")), number(c, "stages"),
                                            async(c, t), t.vector_lanes);
       }},
      {"left_operand = scratchpad where it would take 32 registers a thread or more",
       {"block_m", "fragment", "warps", "left_operand"},
       [=](const Config& c) {
         return !parks_left(c) || left_registers(c, t, dtype, depth) >= kLeastParked;
       }},
  };
}

std::vector<KernelSource::Member> simt_members(const Config& c) {
  std::vector<KernelSource::Member> members = {
      {"tile::Fragment", "fragment", std::string("tile::Fragment::") + name_of(fragment_of(c))},
      KernelSource::Member::integer("warps", c.at("warps")),
      KernelSource::Member::integer("stages", c.at("stages")),
      {"tile::Swizzle", "swizzle",
       std::string("tile::Swizzle::") + kSwizzles[size_t(c.at("swizzle"))]},
  };
  if (roles_of(c) != Roles::alike) {
    members.push_back(
        {"tile::Roles", "roles", std::string("tile::Roles::") + kRoles[size_t(roles_of(c))]});
  }
  if (const auto chiplets = c.find("chiplets").value_or(1); chiplets > 1) {
    members.push_back(KernelSource::Member::integer("chiplets", chiplets));
  }
  if (const auto staging = c.find("staging")) {
    members.push_back(
        {"tile::Staging", "staging", std::string("tile::Staging::") + kStagings[size_t(*staging)]});
  }
  if (const auto left = c.find("left_operand")) {
    members.push_back({"tile::LeftOperand", "left_operand",
                       std::string("tile::LeftOperand::") + kLeftOperands[size_t(*left)]});
  }
  return members;
}

int64_t stream_scratchpad(const Config& c, Dtype dtype, int64_t depth) {
  return footprint::stream_bytes(fragment_of(c), number(c, "block_m"), number(c, "block_n"),
                                 int(depth), int(size_of(dtype)), number(c, "stages"), roles_of(c),
                                 parks_left(c));
}

bool holds_key_loop(const Config& c, const Target& t, Dtype dtype, int64_t depth) {
  const int64_t tiles = tile_registers(c, t, dtype, depth), most = thread_registers(c, t);
  switch (fragment_of(c)) {
    case Fragment::mfma_16x16x16:
      return double(tiles) * kMfmaRegisters <= double(most);
    case Fragment::fma_16x16x16:  // CDNA's accumulation registers hold no operands
      return tiles + kOtherRegistersFma + kFmaRegistersOfKey * c.at("block_n") <=
             std::min<int64_t>(most, 256);
    default: {
      // Rows that are no power of two long take an address for each of a thread's chunks.
      const bool whole = std::has_single_bit(uint64_t(depth));
      const int64_t staged = kOtherRegistersStaged + (whole ? 0 : c.at("block_n") * 3 / 2);
      return tiles + (async(c, t) ? kOtherRegisters : staged) <= most;
    }
  }
}

void set_block(Launch& launch, const Config& config, const Target& target,
               int64_t scratchpad_bytes) {
  launch.block = {
      footprint::block_threads(number(config, "warps"), target.vector_lanes, roles_of(config)), 1,
      1};
  launch.scratchpad_bytes = std::to_string(scratchpad_bytes);
}

}  // namespace kiln::schedules
