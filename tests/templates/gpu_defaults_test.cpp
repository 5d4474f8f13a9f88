// What the default configs become on every GPU target whose compiler is here, read from the machine
// code: they spill nothing, use no stack, fit a multiprocessor, and multiply by matrix
// instructions, by those of warpgroups where the target has them and the rows suffice.

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/family.h"
#include "devices/compile/cache_directory.h"
#include "devices/compile/program.h"
#include "devices/compiler.h"
#include "devices/gpu/architecture.h"
#include "devices/hip/hip_tools.h"
#include "templates/registry.h"
#include "templates/tile/schedule.h"
#include "tests/support/scratch_directory.h"
#include "tests/templates/variant.h"

namespace kiln::test {
namespace {

struct Case {
  const char* family;
  const char* fields;
  bool multiplies;      // matrices of 16-bit elements
  bool groups = false;  // by warpgroups, on targets that have them
};

// Every way in which a default's registers are spent: many queries and few, short rows and the
// longest, lanes of channels and of columns, large tiles and few rows.
constexpr Case kCases[] = {
    {"attention_forward",
     "batch=1 heads_q=32 heads_kv=8 seq_q=2048 seq_kv=2048 head_dim=128 causal=true dtype=bf16",
     true, true},
    {"attention_forward",
     "batch=2 heads_q=16 heads_kv=8 seq_q=1021 seq_kv=1021 head_dim=256 window_left=511 dtype=f16",
     true, true},
    {"attention_forward",
     "batch=1 heads_q=32 heads_kv=32 seq_q=2048 seq_kv=2048 head_dim=96 causal=true dtype=bf16",
     true, true},
    {"attention_forward",
     "batch=2 heads_q=16 heads_kv=8 seq_q=1021 seq_kv=1021 head_dim=256 causal=true dtype=f32",
     false},
    {"attention_forward",
     "batch=8 heads_q=14 heads_kv=2 seq_q=1 seq_kv=4096 head_dim=64 dtype=bf16", true},
    {"depthwise_conv2d_forward",
     "N=8 C=96 H=56 W=56 kh=7 kw=7 pad_h=3 pad_w=3 layout=NHWC dtype=f16", false},
    {"depthwise_conv2d_forward",
     "N=8 C=96 H=56 W=56 kh=7 kw=7 pad_h=3 pad_w=3 layout=NCHW dtype=f16", false},
    {"gemm", "m=4096 n=4096 k=4096 dtype=bf16", true, true},
    {"gemm", "m=1000 n=2000 k=1000 transpose_a=true transpose_b=true dtype=f16", true, true},
    {"gemm", "m=16 n=4096 k=4096 transpose_b=true dtype=f16", true},
    {"gemm", "m=128 n=256 k=32768 bias=columns dtype=bf16", true, true},
    {"gemm", "m=1024 n=1024 k=1024 dtype=f32", false},
};

const Family& family_named(const std::string& name) {
  for (const Family* family : families()) {
    if (family->schema().family() == name) return *family;
  }
  FAIL("no family " << name);
  return *families().front();
}

void check_default(const devices::GpuArchitecture& architecture, const devices::Compiler& compiler,
                   const Case& c) {
  const Family& family = family_named(c.family);
  const auto problem = parse_problem(family, c.fields);
  INFO(architecture.name << " " << c.family << " " << c.fields << " " << problem.status());
  REQUIRE(problem.ok());
  const Target& target = compiler.target();
  const Config config = family.default_config(*problem, target);
  const Plan plan = family.plan(*problem, config, target);
  const auto made = compiler.compile(family.source(*problem, config, target), {});
  INFO(config.text() << " " << made.status());
  REQUIRE(made.ok());
  int64_t products = 0, group_products = 0;
  bool counted = true;
  for (const devices::ResourceUse& use : made->entries) {
    INFO(use.entry << ": " << use.registers << " registers, " << use.stack_bytes
                   << " bytes of stack");
    CHECK(use.spill_bytes == 0);
    CHECK(use.stack_bytes == 0);
    counted = counted && use.matrix_instructions;
    products += use.matrix_instructions.value_or(0);
    group_products += use.warpgroup_instructions.value_or(0);
    for (const Step& step : plan.steps) {
      const auto& launch = std::get<Launch>(step);
      if (launch.entry != use.entry) continue;
      const auto fits = devices::occupancy(
          architecture, {.threads = int(launch.block[0]),
                         .registers = use.registers,
                         .scratchpad_bytes = std::stoll(launch.scratchpad_bytes)});
      INFO(fits.status());
      CHECK(fits.ok());
    }
  }
  if (!counted) return;
  CHECK((products > 0) == c.multiplies);
  const bool has_groups =
      std::ranges::find(target.fragments, "wgmma_m64k16") != target.fragments.end();
  CHECK((group_products > 0) == (has_groups && c.groups));
}

TEST_CASE("Defaults compile for every GPU without spills, and multiply by matrix instructions") {
  const testing::ScratchDirectory cache;
  for (const char* name : {"gfx90a", "gfx942", "gfx1100", "gfx1201", "sm_80", "sm_90a", "sm_120"}) {
    const auto compiler = devices::open_compiler(
        name, {.sources = embedded_sources(), .cache_directory = cache / "cache", .compiler = ""});
    INFO(name << " " << compiler.status());
    REQUIRE(compiler.ok());
    if (const auto version = (*compiler)->version(); !version.ok()) {
      WARN(name << ": " << version.status().message());
      continue;
    }
    for (const Case& c : kCases)
      check_default(*devices::find_gpu_architecture(name), **compiler, c);
  }
}

TEST_CASE("Direct copies are loads that write scratchpad, in the machine code") {
  const testing::ScratchDirectory directory;
  const std::string disassembler = devices::HipTools::instance().disassembler();
  if (disassembler.empty()) {
    WARN("no llvm-objdump");
    return;
  }
  const std::pair<const char*, const char*> instructions[] = {{"gfx90a", ", off lds"},
                                                              {"gfx942", "global_load_lds_dword"}};
  const Family& family = family_named("attention_forward");
  for (const auto& [name, instruction] : instructions) {
    const auto compiler = devices::open_compiler(
        name,
        {.sources = embedded_sources(), .cache_directory = directory / "cache", .compiler = ""});
    REQUIRE(compiler.ok());
    if (!(*compiler)->version().ok()) continue;
    const Target& target = (*compiler)->target();
    const auto problem = parse_problem(family, kCases[0].fields);
    REQUIRE(problem.ok());
    for (const tile::Staging staging : {tile::Staging::in_turn, tile::Staging::direct}) {
      auto values = family.default_config(*problem, target).values();
      for (auto& [parameter, value] : values) {
        if (parameter == "staging") value = int64_t(staging);
        if (parameter == "stages") value = 1;
      }
      const Config config(values);
      INFO(name << " " << config.text());
      REQUIRE(family.space(*problem, target).check(config).ok());
      const auto made = (*compiler)->compile(family.source(*problem, config, target), {});
      INFO(made.status());
      REQUIRE(made.ok());
      CHECK(made->entries.front().spill_bytes == 0);
      const std::string file = directory / "kernel.co";
      REQUIRE(devices::write_file(file, made->artifact.bytes).ok());
      const auto text =
          devices::run_program({.title = "disassembler",
                                .arguments = {disassembler, "-d", "--no-show-raw-insn", file},
                                .sources = "",
                                .work = directory.path(),
                                .output_bytes = 16 << 20},
                               {});
      INFO(text.status());
      REQUIRE(text.ok());
      CHECK((text->find(instruction) != std::string::npos) == (staging == tile::Staging::direct));
    }
  }
}

}  // namespace
}  // namespace kiln::test
