// Matrix products on emulated GPUs: every fragment, schedule and transposition, with all checks of
// the emulator on. A failure prints the seed by which the order of threads was drawn.

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "runtime/emulator/emulation.h"
#include "templates/tile/schedule.h"
#include "tests/templates/variant.h"

namespace kiln::gemm {

const Family& family();

namespace {

using test::Bench;
using test::Spacing;
using tile::Fragment;
using tile::Swizzle;

constexpr const char* kWarp = "emulator:warp32";
constexpr const char* kWave = "emulator:wave64";
constexpr const char* kTranspositions[] = {"", " transpose_b=true", " transpose_a=true",
                                           " transpose_a=true transpose_b=true"};

struct Schedule {
  const char* device;
  Fragment fragment;
  const char* dtype;
  int block_m, block_n, block_k, warps, column_warps, stages;
  Swizzle swizzle;
};

constexpr Schedule kSchedules[] = {
    {kWarp, Fragment::mma_m16n8k16, "bf16", 32, 32, 32, 2, 1, 2, Swizzle::exclusive},
    {kWarp, Fragment::mma_m16n8k16, "f16", 32, 64, 64, 4, 2, 3, Swizzle::exclusive},
    {kWarp, Fragment::mma_m16n8k16, "f16", 16, 32, 32, 2, 2, 1, Swizzle::exclusive},
    {kWarp, Fragment::mma_m16n8k16, "bf16", 16, 32, 32, 1, 1, 4, Swizzle::exclusive},
    {kWarp, Fragment::wgmma_m64k16, "bf16", 64, 32, 32, 4, 1, 1, Swizzle::exclusive},
    {kWarp, Fragment::wgmma_m64k16, "f16", 64, 128, 64, 4, 1, 2, Swizzle::exclusive},
    {kWarp, Fragment::wgmma_m64k16, "bf16", 128, 16, 64, 8, 1, 3, Swizzle::exclusive},
    {kWarp, Fragment::wgmma_m64k16, "f16", 128, 64, 32, 4, 1, 4, Swizzle::exclusive},
    {kWarp, Fragment::wmma_gfx11, "f16", 32, 32, 32, 2, 2, 1, Swizzle::exclusive},
    {kWarp, Fragment::wmma_gfx12, "bf16", 32, 32, 32, 2, 1, 2, Swizzle::folded},
    {kWarp, Fragment::fma_16x16x16, "f32", 32, 32, 16, 2, 1, 2, Swizzle::folded},
    {kWave, Fragment::mfma_16x16x16, "bf16", 32, 32, 32, 2, 2, 2, Swizzle::exclusive},
    {kWave, Fragment::mfma_16x16x16, "f16", 64, 32, 64, 1, 1, 1, Swizzle::folded},
    {kWave, Fragment::fma_16x16x16, "f32", 32, 16, 16, 1, 1, 1, Swizzle::folded},
};

Config config_of(const Schedule& s, int64_t order = 0, int64_t k_splits = 1, int64_t band = 1,
                 int64_t chiplets = 1) {
  return Config({{"block_m", s.block_m},
                 {"block_n", s.block_n},
                 {"block_k", s.block_k},
                 {"k_splits", k_splits},
                 {"order", order},
                 {"band", band},
                 {"chiplets", chiplets},
                 {"fragment", int64_t(s.fragment)},
                 {"warps", s.warps},
                 {"stages", s.stages},
                 {"swizzle", int64_t(s.swizzle)},
                 {"column_warps", s.column_warps}});
}

TEST_CASE("Gemm is right on emulated GPUs, in every fragment, schedule and transposition") {
  for (const Schedule& s : kSchedules) {
    Bench bench(family(), s.device);
    for (const char* transposed : kTranspositions) {
      const auto verify = [&](const std::string& sizes, const Spacing& spacing = {}) {
        bench.verify(sizes + transposed + " dtype=" + s.dtype, config_of(s), spacing);
      };
      verify("m=1 n=1 k=1");
      verify("m=32 n=64 k=64");
      verify("m=40 n=72 k=136");                            // last chunks in part
      verify("m=33 n=65 k=67", {.row_gap = 3, .lead = 5});  // rows that are not aligned
      verify("batch=2 m=17 n=30 k=100", {.row_gap = 8});
    }
  }
}

TEST_CASE("The order of an emulated GPU's threads changes no product") {
  for (uint64_t seed : {2, 3, 4}) {
    runtime::emulator::set_seed(seed);
    for (const Schedule& s : kSchedules) {
      Bench bench(family(), s.device);
      bench.verify("m=50 n=70 k=150 transpose_b=true dtype=" + std::string(s.dtype),
                   config_of(s, /*order=*/1));
    }
  }
  runtime::emulator::set_seed(1);
}

TEST_CASE("Emulated gemm is right with k in parts, some of them short or empty") {
  for (const Schedule& s : kSchedules) {
    Bench bench(family(), s.device);
    for (int64_t parts : {2, 8}) {
      const auto verify = [&](const std::string& sizes, const Spacing& spacing = {}) {
        bench.verify(sizes + " dtype=" + s.dtype, config_of(s, /*order=*/parts == 8, parts),
                     spacing);
      };
      verify("batch=2 m=40 n=72 k=600 bias=columns residual=true beta=0.5");
      verify("m=33 n=65 k=67 transpose_a=true transpose_b=true", {.row_gap = 3, .lead = 5});
    }
  }
}

TEST_CASE("Emulated gemm is right in whatever order its tiles are walked") {
  for (const Schedule& s : kSchedules) {
    if (s.block_m > 64 || s.block_n > 64) continue;  // many tiles
    Bench bench(family(), s.device);
    for (int64_t order : {0, 1}) {
      const int64_t chiplets = s.device == std::string(kWave) ? 3 : 1;
      bench.verify("batch=2 m=140 n=250 k=33 dtype=" + std::string(s.dtype),
                   config_of(s, order, /*k_splits=*/1, /*band=*/4, chiplets));
    }
  }
}

TEST_CASE("Emulated biases, activations, residuals and factors of gemm") {
  for (const char* device : {kWarp, kWave}) {
    Bench bench(family(), device);
    for (const char* epilogue : {
             "bias=rows dtype=f32",
             "bias=columns activation=relu dtype=bf16 alpha=-0.5",
             "residual=true dtype=f16 beta=0.25",
             "bias=columns activation=gelu residual=true dtype=f32 alpha=2 beta=-1",
             "bias=rows activation=silu residual=true dtype=f16",
         }) {
      const std::string sizes = "batch=2 m=37 n=72 k=29 ";
      bench.verify_default(sizes + epilogue);
      bench.verify_default(sizes + epilogue, {.row_gap = 3, .lead = 1});
    }
  }
}

TEST_CASE("Emulated gemm defaults are right, and random points of its space") {
  std::mt19937 random(5);
  for (const char* device : {kWarp, kWave}) {
    Bench bench(family(), device);
    for (const char* dtype : {" dtype=f32", " dtype=f16", " dtype=bf16"}) {
      for (const char* transposed : kTranspositions)
        bench.verify_default("m=70 n=130 k=90" + std::string(transposed) + dtype);
      bench.verify_default("m=1 n=200 k=300" + std::string(dtype));
      bench.verify_random_points("m=70 n=40 k=90 transpose_a=true" + std::string(dtype),
                                 {.least = 50, .count = 3}, random);
    }
  }
}

}  // namespace
}  // namespace kiln::gemm
