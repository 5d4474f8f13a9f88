#include "devices/gpu/gpu_probe.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <string_view>

namespace kiln::devices {
namespace {

// As in templates/tile/probe.h.
constexpr int kChains = 8, kRepeats = 8;

constexpr int kThreads = 256;
constexpr int kBlocksEach = 4;  // of a multiprocessor

struct Instruction {
  std::string_view fragment;
  double flops;  // of a warp
};
constexpr double kCube = 2.0 * 16 * 16 * 16;
constexpr std::array kInstructions = {
    Instruction{"mma_m16n8k16", kCube / 2}, Instruction{"mfma_16x16x16", kCube},
    Instruction{"wmma_gfx11", kCube}, Instruction{"wmma_gfx12", kCube}};

Plan plan_of(const std::string& entry) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  Plan plan;
  plan.symbols = {{"blocks", 1, 1 << 16}, {"iterations", 1, kMost}};
  plan.buffers = {{.name = "out",
                   .shape = {"blocks * " + std::to_string(kThreads)},
                   .kind = Buffer::Kind::kOutput,
                   .unit_stride_axis = 0,
                   .alignment = 4}};
  plan.steps = {
      Launch{.entry = entry,
             .grid = {"blocks", "1", "1"},
             .arguments = {{Argument::Kind::kTensor, "out"}, {Argument::Kind::kSize, "iterations"}},
             .writes = {"out"},
             .block = {kThreads, 1, 1}}};
  return plan;
}

KernelSource source_of(const char* kernel, std::string_view fragment) {
  return {.header = "tile/probe.h",
          .config = {KernelSource::Member::integer("threads", kThreads),
                     {"tile::Fragment", "fragment", "tile::Fragment::" + std::string(fragment)}},
          .entries = {kernel}};
}

}  // namespace

std::vector<GpuProbe> gpu_probes(const Target& target) {
  std::vector<GpuProbe> probes;
  constexpr double kPerMultiplyAdd = 2;
  probes.push_back({.source = source_of("tile::probe::MultiplyAdd", "fma_16x16x16"),
                    .plan = plan_of("multiply_add"),
                    .flops = kPerMultiplyAdd * kThreads * kChains * kRepeats});
  for (const std::string& fragment : target.fragments) {
    const auto* found = std::ranges::find(kInstructions, fragment, &Instruction::fragment);
    if (found == kInstructions.end()) continue;
    const int warps = kThreads / std::max(target.vector_lanes, 1);
    probes.push_back({.source = source_of("tile::probe::MatrixProduct", fragment),
                      .plan = plan_of("matrix_product"),
                      .flops = found->flops * warps * kChains});
    break;
  }
  return probes;
}

int probe_blocks(const Target& target) {
  return std::max(target.threads, 1) * kBlocksEach;
}

}  // namespace kiln::devices
