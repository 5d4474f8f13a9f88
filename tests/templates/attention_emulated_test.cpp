// Attention on emulated GPUs: every fragment, schedule and corner case, with all checks of the
// emulator on. A failure prints the seed by which the order of threads was drawn.

#include <catch2/catch.hpp>
#include <string>

#include "runtime/emulator/emulation.h"
#include "templates/tile/schedule.h"
#include "tests/templates/variant.h"

namespace kiln::attention_forward {

const Family& family();

namespace {

using test::Bench;
using test::Spacing;
using tile::Copies;
using tile::Fragment;
using tile::LeftOperand;
using tile::Roles;
using tile::Staging;
using tile::Swizzle;

struct Schedule {
  const char* device;
  Fragment fragment;
  const char* dtype;
  int block_m, block_n, warps, stages;
  Swizzle swizzle;
  Staging staging = Staging::ahead;
  LeftOperand left = LeftOperand::registers;
  Roles roles = Roles::alike;
  Copies copies = Copies::threads;
};

constexpr Schedule kSchedules[] = {
    {"emulator:warp32", Fragment::mma_m16n8k16, "bf16", 32, 32, 2, 2, Swizzle::exclusive},
    {"emulator:warp32", Fragment::mma_m16n8k16, "f16", 64, 16, 2, 3, Swizzle::exclusive},
    {"emulator:warp32", Fragment::mma_m16n8k16, "f16", 16, 48, 1, 1, Swizzle::exclusive},
    {"emulator:warp32", Fragment::wgmma_m64k16, "bf16", 64, 32, 4, 2, Swizzle::exclusive},
    {"emulator:warp32", Fragment::wgmma_m64k16, "f16", 128, 48, 4, 1, Swizzle::exclusive},
    {"emulator:warp32", Fragment::wgmma_m64k16, "bf16", 128, 16, 8, 3, Swizzle::exclusive},
    {"emulator:warp32", Fragment::wgmma_m64k16, "bf16", 64, 32, 4, 2, Swizzle::exclusive,
     Staging::ahead, LeftOperand::registers, Roles::producer},
    {"emulator:warp32", Fragment::wgmma_m64k16, "f16", 128, 16, 8, 3, Swizzle::exclusive,
     Staging::ahead, LeftOperand::registers, Roles::producer},
    {"emulator:warp32", Fragment::wgmma_m64k16, "f16", 64, 48, 4, 1, Swizzle::exclusive,
     Staging::ahead, LeftOperand::registers, Roles::producer},
    {"emulator:warp32", Fragment::wgmma_m64k16, "bf16", 64, 32, 4, 2, Swizzle::exclusive,
     Staging::ahead, LeftOperand::registers, Roles::producer, Copies::bulk},
    {"emulator:warp32", Fragment::wgmma_m64k16, "f16", 128, 32, 8, 2, Swizzle::exclusive,
     Staging::ahead, LeftOperand::registers, Roles::ping_pong},
    {"emulator:warp32", Fragment::wgmma_m64k16, "bf16", 128, 16, 8, 1, Swizzle::exclusive,
     Staging::ahead, LeftOperand::registers, Roles::ping_pong, Copies::bulk},
    {"emulator:warp32", Fragment::wmma_gfx11, "f16", 32, 32, 2, 1, Swizzle::exclusive},
    {"emulator:warp32", Fragment::wmma_gfx12, "bf16", 32, 32, 2, 2, Swizzle::folded},
    {"emulator:warp32", Fragment::fma_16x16x16, "f32", 32, 32, 2, 2, Swizzle::folded},
    {"emulator:wave64", Fragment::mfma_16x16x16, "bf16", 32, 32, 2, 2, Swizzle::exclusive},
    {"emulator:wave64", Fragment::mfma_16x16x16, "f16", 64, 32, 1, 1, Swizzle::folded},
    {"emulator:wave64", Fragment::fma_16x16x16, "f32", 32, 16, 1, 1, Swizzle::folded},
    // Queries in scratchpad, chunks staged in turn.
    {"emulator:warp32", Fragment::mma_m16n8k16, "bf16", 32, 32, 2, 2, Swizzle::exclusive,
     Staging::ahead, LeftOperand::scratchpad},
    {"emulator:warp32", Fragment::wmma_gfx11, "bf16", 64, 32, 2, 1, Swizzle::folded,
     Staging::in_turn, LeftOperand::scratchpad},
    {"emulator:warp32", Fragment::wmma_gfx12, "f16", 32, 16, 1, 1, Swizzle::exclusive,
     Staging::in_turn, LeftOperand::scratchpad},
    {"emulator:wave64", Fragment::mfma_16x16x16, "bf16", 32, 32, 2, 1, Swizzle::exclusive,
     Staging::in_turn, LeftOperand::registers},
    {"emulator:wave64", Fragment::mfma_16x16x16, "f16", 64, 16, 2, 2, Swizzle::folded,
     Staging::ahead, LeftOperand::scratchpad},
    {"emulator:warp32", Fragment::fma_16x16x16, "f32", 32, 16, 2, 1, Swizzle::folded,
     Staging::ahead, LeftOperand::scratchpad},
    {"emulator:wave64", Fragment::fma_16x16x16, "f32", 16, 32, 1, 1, Swizzle::folded,
     Staging::in_turn, LeftOperand::scratchpad},
    // Directly, past registers.
    {"emulator:wave64", Fragment::mfma_16x16x16, "bf16", 32, 32, 2, 1, Swizzle::exclusive,
     Staging::direct, LeftOperand::registers},
    {"emulator:wave64", Fragment::mfma_16x16x16, "f16", 64, 16, 2, 2, Swizzle::folded,
     Staging::direct, LeftOperand::scratchpad},
    {"emulator:wave64", Fragment::fma_16x16x16, "f32", 32, 16, 1, 2, Swizzle::folded,
     Staging::direct, LeftOperand::registers},
};

Config config_of(const Schedule& s, const std::string& changes) {
  Config config({{"pack_heads", 0},
                 {"block_m", s.block_m},
                 {"block_n", s.block_n},
                 {"key_splits", 1},
                 {"fragment", int64_t(s.fragment)},
                 {"warps", s.warps},
                 {"stages", s.stages},
                 {"swizzle", int64_t(s.swizzle)},
                 {"staging", int64_t(s.staging)},
                 {"left_operand", int64_t(s.left)},
                 {"chiplets", 1},
                 {"roles", int64_t(s.roles)},
                 {"copies", int64_t(s.copies)}});
  const auto parsed = Config::parse(changes);
  REQUIRE(parsed.ok());
  auto values = config.values();
  for (auto& [name, value] : values)
    value = parsed->find(name).value_or(value);
  return Config(values);
}

// The corner cases for one schedule.
void verify_all(const Schedule& s) {
  Bench bench(family(), s.device);
  auto verify = [&](const std::string& fields, const std::string& changes = "",
                    const Spacing& spacing = {}) {
    bench.verify(fields + " dtype=" + s.dtype, config_of(s, changes), spacing);
  };
  // Fewer keys than a chunk; lengths that fill no tile; rows that meet no key.
  verify("batch=1 heads_q=2 heads_kv=1 seq_q=40 seq_kv=5 head_dim=64");
  verify("batch=1 heads_q=1 heads_kv=1 seq_q=70 seq_kv=33 head_dim=64 causal=true");
  verify("batch=1 heads_q=2 heads_kv=1 seq_q=33 seq_kv=129 head_dim=64 causal=true", "",
         {.row_gap = 3, .lead = 5});
  verify("batch=2 heads_q=2 heads_kv=1 seq_q=35 seq_kv=96 head_dim=64 layout=bshd", "",
         {.row_gap = 8});
  verify(
      "batch=1 heads_q=1 heads_kv=1 seq_q=60 seq_kv=90 head_dim=64 window_left=17 "
      "window_right=9");
  verify(
      "batch=1 heads_q=1 heads_kv=1 seq_q=60 seq_kv=50 head_dim=64 window_left=0 "
      "window_right=0");
  verify("batch=1 heads_q=1 heads_kv=1 seq_q=50 seq_kv=64 head_dim=64 softmax_scale=0.5", "",
         {.optional = false});
  verify("batch=1 heads_q=1 heads_kv=1 seq_q=32 seq_kv=70 head_dim=64", "", {.deviation = 30});
  // Rows that are no multiple of a panel, of a chunk, of a fragment.
  verify("batch=1 heads_q=1 heads_kv=1 seq_q=33 seq_kv=70 head_dim=40 causal=true");
  verify("batch=1 heads_q=1 heads_kv=1 seq_q=17 seq_kv=40 head_dim=96 softcap=50");
  // Heads packed, keys split, blocks shared out among chiplets.
  verify("batch=2 heads_q=2 heads_kv=1 seq_q=70 seq_kv=90 head_dim=32 causal=true", "chiplets=3");
  verify("batch=1 heads_q=8 heads_kv=2 seq_q=3 seq_kv=75 head_dim=32 causal=true", "pack_heads=1");
  verify("batch=1 heads_q=2 heads_kv=2 seq_q=2 seq_kv=150 head_dim=64", "key_splits=4");
}

TEST_CASE("Attention is right on emulated GPUs, in every fragment and schedule") {
  for (const Schedule& schedule : kSchedules)
    verify_all(schedule);
}

TEST_CASE("The order of an emulated GPU's threads changes nothing") {
  for (uint64_t seed : {2, 3, 4}) {
    runtime::emulator::set_seed(seed);
    for (const Schedule& s : kSchedules) {
      Bench bench(family(), s.device);
      bench.verify(
          "batch=1 heads_q=2 heads_kv=1 seq_q=70 seq_kv=130 head_dim=64 causal=true dtype=" +
              std::string(s.dtype),
          config_of(s, ""));
    }
  }
  runtime::emulator::set_seed(1);
}

TEST_CASE("Emulated default configs are right") {
  for (const char* device : {"emulator:warp32", "emulator:wave64"}) {
    Bench bench(family(), device);
    for (const char* dtype : {"f32", "f16", "bf16"}) {
      for (const char* dim : {"64", "128", "256"}) {
        bench.verify_default(std::string("batch=1 heads_q=2 heads_kv=1 seq_q=70 seq_kv=133 "
                                         "causal=true head_dim=") +
                             dim + " dtype=" + dtype);
      }
    }
  }
}

}  // namespace
}  // namespace kiln::attention_forward
