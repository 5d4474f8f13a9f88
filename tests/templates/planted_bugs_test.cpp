// Every planted bug is noticed, by what is named beside it; without bugs the victims are healthy.

#include "tests/templates/planted_bugs.h"

#include <catch2/catch.hpp>
#include <string>

#include "templates/registry.h"
#include "templates/tile/schedule.h"
#include "tests/templates/variant.h"

namespace kiln::attention_forward {
const Family& family();
}
namespace kiln::depthwise_conv2d_forward {
const Family& family();
}
namespace kiln::gemm {
const Family& family();
}

namespace kiln::test {
namespace {

using Catch::Contains;
using tile::Copies;
using tile::Fragment;
using tile::Roles;
using tile::Staging;
using tile::Swizzle;

struct Variant {
  const Family* family;
  const char* device;
  std::string fields;
  std::string config;  // what differs from the default
  Spacing spacing = {};
};

Variant attention(const char* device, Fragment fragment, const char* dtype, int stages,
                  Swizzle swizzle, const std::string& sizes = "seq_q=40 seq_kv=140 head_dim=64") {
  return {.family = &attention_forward::family(),
          .device = device,
          .fields =
              "batch=1 heads_q=1 heads_kv=1 causal=true dtype=" + std::string(dtype) + " " + sizes,
          .config = "pack_heads=0 block_m=32 block_n=32 key_splits=1 warps=2 fragment=" +
                    std::to_string(int(fragment)) + " stages=" + std::to_string(stages) +
                    " swizzle=" + std::to_string(int(swizzle))};
}

Variant warpgroups(const char* dtype, int groups, int stages,
                   const std::string& sizes = "seq_q=40 seq_kv=100 head_dim=64",
                   Roles roles = Roles::alike, Copies copies = Copies::threads) {
  Variant v = attention("emulator:warp32", Fragment::wgmma_m64k16, dtype, stages,
                        Swizzle::exclusive, sizes);
  const auto set = [&](const std::string& from, const std::string& to) {
    v.config.replace(v.config.find(from), from.size(), to);
  };
  set("block_m=32", "block_m=" + std::to_string(64 * groups));
  set("warps=2", "warps=" + std::to_string(4 * groups));
  v.config += " roles=" + std::to_string(int(roles)) + " copies=" + std::to_string(int(copies));
  return v;
}

// A last chunk of an odd number of rows: where it ends, a wave's lanes differ.
Variant staged(Staging staging, int stages) {
  Variant v = attention("emulator:wave64", Fragment::mfma_16x16x16, "f16", stages,
                        Swizzle::exclusive, "seq_q=40 seq_kv=141 head_dim=64");
  v.config += " staging=" + std::to_string(int(staging));
  return v;
}

Variant depthwise(const std::string& layout, const std::string& config) {
  return {.family = &depthwise_conv2d_forward::family(),
          .device = "emulator:warp32",
          .fields = "N=1 C=45 H=9 W=40 kh=3 kw=3 pad_h=1 pad_w=1 dtype=f16 layout=" + layout,
          .config = config};
}

Variant gemm(const char* device, Fragment fragment, int stages, const std::string& statics) {
  const bool fma = fragment == Fragment::fma_16x16x16;
  return {.family = &gemm::family(),
          .device = device,
          .fields = "m=45 n=71 k=85 " + statics,
          .config =
              "block_m=32 block_n=32 block_k=32 k_splits=1 order=0 band=1 warps=4 column_warps=2 "
              "fragment=" +
              std::to_string(int(fragment)) + " stages=" + std::to_string(stages) +
              " swizzle=" + std::to_string(int(fma ? Swizzle::folded : Swizzle::exclusive))};
}

// Tiles of 128 rows.
Variant gemm_groups(int groups, int stages, const std::string& statics) {
  return {.family = &gemm::family(),
          .device = "emulator:warp32",
          .fields = "m=145 n=39 k=149 " + statics,
          .config =
              "block_m=128 block_n=32 block_k=32 k_splits=1 order=0 band=1 swizzle=1 "
              "column_warps=1 warps=" +
              std::to_string(4 * groups) + " stages=" + std::to_string(stages) +
              " fragment=" + std::to_string(int(Fragment::wgmma_m64k16))};
}

Variant variant_of(Victim victim) {
  constexpr const char* kWarp = "emulator:warp32";
  constexpr const char* kWave = "emulator:wave64";
  constexpr Swizzle kSwizzle = Swizzle::exclusive;
  switch (victim) {
    case Victim::kMma1:
      return attention(kWarp, Fragment::mma_m16n8k16, "bf16", 1, kSwizzle);
    case Victim::kMma2:
      return attention(kWarp, Fragment::mma_m16n8k16, "bf16", 2, kSwizzle);
    case Victim::kMma3:
      return attention(kWarp, Fragment::mma_m16n8k16, "f16", 3, kSwizzle);
    case Victim::kGroup1:
      return warpgroups("bf16", 1, 1);
    case Victim::kGroup2:
      return warpgroups("f16", 1, 2);
    case Victim::kGroups:
      return warpgroups("bf16", 2, 2, "seq_q=100 seq_kv=40 head_dim=96");
    case Victim::kProducer1:
      return warpgroups("f16", 1, 1, "seq_q=40 seq_kv=100 head_dim=64", Roles::producer);
    case Victim::kProducer2:
      return warpgroups("bf16", 2, 2, "seq_q=100 seq_kv=160 head_dim=32", Roles::producer);
    case Victim::kBoxes: {
      Variant v = warpgroups("bf16", 2, 2, "seq_q=100 seq_kv=160 head_dim=64", Roles::producer,
                             Copies::bulk);
      const std::string one = "heads_q=1 heads_kv=1";
      v.fields.replace(v.fields.find(one), one.size(), "heads_q=2 heads_kv=2");
      return v;
    }
    case Victim::kPingPong:
      return warpgroups("f16", 2, 2, "seq_q=100 seq_kv=160 head_dim=32", Roles::ping_pong);
    case Victim::kMfma1:
      return attention(kWave, Fragment::mfma_16x16x16, "f16", 1, kSwizzle);
    case Victim::kMfma2:
      return attention(kWave, Fragment::mfma_16x16x16, "bf16", 2, kSwizzle);
    case Victim::kMfmaInTurn:
      return staged(Staging::in_turn, 1);
    case Victim::kMfmaDirect1:
      return staged(Staging::direct, 1);
    case Victim::kMfmaDirect2:
      return staged(Staging::direct, 2);
    case Victim::kChiplets: {
      Variant v = staged(Staging::ahead, 1);
      v.config.replace(v.config.find("key_splits=1"), 12, "key_splits=2");
      v.config += " chiplets=3";
      v.fields.replace(v.fields.find("heads_q=1"), 9, "heads_q=2");
      return v;
    }
    case Victim::kGfx11:
      return attention(kWarp, Fragment::wmma_gfx11, "f16", 1, kSwizzle);
    case Victim::kGfx12:
      return attention(kWarp, Fragment::wmma_gfx12, "bf16", 1, kSwizzle);
    case Victim::kFma:
      return attention(kWarp, Fragment::fma_16x16x16, "f32", 2, Swizzle::folded);
    case Victim::kSplit: {
      Variant v = attention(kWarp, Fragment::mma_m16n8k16, "bf16", 2, kSwizzle);
      v.config.replace(v.config.find("key_splits=1"), 12, "key_splits=2");
      return v;
    }
    case Victim::kWide:
      return attention(kWarp, Fragment::mma_m16n8k16, "bf16", 2, kSwizzle,
                       "seq_q=20 seq_kv=50 head_dim=128");
    case Victim::kNarrow:
      return attention(kWave, Fragment::mfma_16x16x16, "f16", 1, kSwizzle,
                       "seq_q=20 seq_kv=50 head_dim=40");
    case Victim::kGaps: {
      Variant v = attention(kWarp, Fragment::mma_m16n8k16, "bf16", 2, kSwizzle,
                            "seq_q=20 seq_kv=50 head_dim=64");
      v.spacing = {.row_gap = 3, .lead = 5};
      return v;
    }
    case Victim::kPoints:
      return depthwise("NHWC", "lanes=0 window=7 block_c=64 block_h=7 block_w=14 warps=2");
    case Victim::kPlanes:
      return depthwise("NCHW", "lanes=0 window=7 block_c=64 block_h=7 block_w=14 warps=2");
    case Victim::kColumnLanes:
      return depthwise("NCHW", "lanes=1 window=4 block_h=7 block_w=56 warps=2");
    case Victim::kGemmMma: {
      Variant v = gemm(kWarp, Fragment::mma_m16n8k16, 2, "dtype=bf16 transpose_b=true");
      v.spacing = {.row_gap = 3};  // aligned rows whose last chunk is there in part
      return v;
    }
    case Victim::kGemmDown:
      return gemm(kWarp, Fragment::mma_m16n8k16, 2, "dtype=f16 transpose_a=true");
    case Victim::kGemmGroups:
      return gemm_groups(2, 3, "dtype=bf16");
    case Victim::kGemmGroup:
      return gemm_groups(1, 2, "dtype=f16 transpose_a=true transpose_b=true");
    case Victim::kGemmMfma:
      return gemm(kWave, Fragment::mfma_16x16x16, 1, "dtype=bf16 transpose_a=true");
    case Victim::kGemmFma:
      return gemm(kWarp, Fragment::fma_16x16x16, 2, "dtype=f32 transpose_a=true");
    case Victim::kGemmBands: {
      Variant v = gemm(kWave, Fragment::mfma_16x16x16, 1, "dtype=f16");
      v.config.replace(v.config.find("band=1"), 6, "band=2 chiplets=3");
      return v;
    }
    case Victim::kGemmSplit: {
      Variant v = gemm(kWarp, Fragment::mma_m16n8k16, 2, "dtype=bf16 bias=rows residual=true");
      v.config.replace(v.config.find("k_splits=1"), 10, "k_splits=3");
      return v;
    }
    case Victim::kGemmGaps: {
      Variant v = gemm(kWarp, Fragment::mma_m16n8k16, 2,
                       "batch=2 bias=columns activation=relu residual=true dtype=f16");
      v.spacing = {.row_gap = 3, .lead = 5};
      return v;
    }
  }
  return {};
}

Status attempt(const Variant& v, devices::SourceTree sources) {
  Bench bench(*v.family, v.device, std::move(sources));
  const Problem problem = bench.problem(v.fields);
  auto values = v.family->default_config(problem, bench.target()).values();
  const auto parsed = Config::parse(v.config);
  REQUIRE(parsed.ok());
  for (auto& [name, value] : values)
    value = parsed->find(name).value_or(value);
  return bench.attempt(problem, Config(values), v.spacing).status;
}

devices::SourceTree with(const PlantedBug& bug) {
  devices::SourceTree sources = embedded_sources();
  std::string& text = sources.find(bug.file)->second;
  const size_t at = text.find(bug.from);
  INFO(bug.file << " does not hold once: " << bug.from);
  const bool once = at != std::string::npos && text.find(bug.from, at + 1) == std::string::npos;
  REQUIRE(once);
  text.replace(at, std::string(bug.from).size(), bug.to);
  return sources;
}

void expect_noticed(const std::vector<PlantedBug>& bugs) {
  for (const PlantedBug& bug : bugs) {
    INFO(bug.name);
    const Status status = attempt(variant_of(bug.victim), with(bug));
    INFO(status);
    CHECK_FALSE(status.ok());
    CHECK_THAT(std::string(status.message()), Contains(bug.noticed));
    // A bug that does not compile shows nothing.
    CHECK_THAT(std::string(status.message()), !Contains("error:"));
  }
}

TEST_CASE("Victims of planted bugs are healthy without them") {
  for (int victim = 0; victim <= int(kLastVictim); ++victim) {
    const Variant v = variant_of(Victim(victim));
    INFO(v.device << " " << v.fields << " " << v.config);
    const Status status = attempt(v, embedded_sources());
    INFO(status);
    CHECK(status.ok());
  }
}

TEST_CASE("Planted bugs of synchronisation are noticed") {
  expect_noticed(synchronisation_bugs());
}

TEST_CASE("Planted bugs of staging are noticed") {
  expect_noticed(staging_bugs());
}

TEST_CASE("Planted bugs of staging in turn and directly are noticed") {
  expect_noticed(direct_bugs());
}

TEST_CASE("Planted bugs of fragments are noticed") {
  expect_noticed(fragment_bugs());
}

TEST_CASE("Planted bugs of warpgroups' products are noticed") {
  expect_noticed(product_bugs());
}

TEST_CASE("Planted bugs of contractions are noticed") {
  expect_noticed(contraction_bugs());
}

TEST_CASE("Planted bugs of producers and their barriers are noticed") {
  expect_noticed(producer_bugs());
}

TEST_CASE("Planted bugs of bulk copies are noticed") {
  expect_noticed(box_bugs());
}

TEST_CASE("Planted bugs of warpgroups that take turns are noticed") {
  expect_noticed(turn_bugs());
}

TEST_CASE("Planted bugs of kernels and bounds are noticed") {
  expect_noticed(kernel_bugs());
}

TEST_CASE("A report names the lines of kernel and lowering, thread, block and seed") {
  const PlantedBug& bug = synchronisation_bugs()[1];
  const Status status = attempt(variant_of(bug.victim), with(bug));
  const std::string text(status.message());
  INFO(text);
  for (const char* part :
       {"attention_forward/kernel.h:", "tile/simt/", "thread ", "of block (", "seed "}) {
    CHECK_THAT(text, Contains(part));
  }
}

}  // namespace
}  // namespace kiln::test
