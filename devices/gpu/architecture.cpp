#include "devices/gpu/architecture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace kiln::devices {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int64_t kKiB = 1 << 10;

constexpr std::array kArchitectures = {
    // clang-format off
    //              name       kind    fragments                            async  warp mps  regs rows granule warps blocks scratchpad  block      reserved
    GpuArchitecture{"sm_80",   "cuda", {"mma_m16n8k16"},                  true,  32,  108, 255, 512, 8,      16,   32,    164 * kKiB, 163 * kKiB, 1 * kKiB},
    GpuArchitecture{"sm_90a",  "cuda", {"wgmma_m64k16", "mma_m16n8k16"},  true,  32,  132, 255, 512, 8,      16,   32,    228 * kKiB, 227 * kKiB, 1 * kKiB},
    GpuArchitecture{"sm_100",  "cuda", {"mma_m16n8k16"},                  true,  32,  148, 255, 512, 8,      16,   32,    228 * kKiB, 227 * kKiB, 1 * kKiB},
    GpuArchitecture{"sm_120",  "cuda", {"mma_m16n8k16"},                  true,  32,  170, 255, 512, 8,      12,   24,    100 * kKiB, 99 * kKiB,  1 * kKiB},
    GpuArchitecture{"gfx90a",  "hip",  {"mfma_16x16x16"},                 false, 64,  110, 512, 512, 8,      8,    16,    64 * kKiB,  64 * kKiB,  0},
    GpuArchitecture{"gfx942",  "hip",  {"mfma_16x16x16"},                 false, 64,  304, 512, 512, 8,      8,    16,    64 * kKiB,  64 * kKiB,  0},
    GpuArchitecture{"gfx1100", "hip",  {"wmma_gfx11"},                    false, 32,  48,  256, 1536, 24,    16,   32,    128 * kKiB, 64 * kKiB,  0},
    GpuArchitecture{"gfx1201", "hip",  {"wmma_gfx12"},                    false, 32,  32,  256, 1536, 24,    16,   32,    128 * kKiB, 64 * kKiB,  0},
    // clang-format on
};

int round_up(int n, int to) {
  return (n + to - 1) / to * to;
}

}  // namespace

std::span<const GpuArchitecture> gpu_architectures() {
  return kArchitectures;
}

const GpuArchitecture* find_gpu_architecture(std::string_view name) {
  const auto* found = std::ranges::find(kArchitectures, name, &GpuArchitecture::name);
  return found == kArchitectures.end() ? nullptr : found;
}

Target target_of(const GpuArchitecture& architecture) {
  Target target;
  target.kind = architecture.kind;
  target.architecture = architecture.name;
  target.memory_bytes = 16ll << 30;
  target.vector_lanes = architecture.warp_threads;
  target.threads = architecture.typical_multiprocessors;
  target.block_threads = kMaxThreads;
  target.thread_registers = architecture.registers_per_thread;
  target.scratchpad_bytes = architecture.block_scratchpad_bytes;
  target.async_copy = architecture.async_copy;
  for (std::string_view fragment : architecture.fragments) {
    if (!fragment.empty()) target.fragments.emplace_back(fragment);
  }
  return target;
}

StatusOr<Occupancy> occupancy(const GpuArchitecture& a, const BlockUse& use) {
  auto refuse = [&](std::string_view what, int64_t has, int64_t most) {
    return absl::ResourceExhaustedError(
        fmt::format("a block takes {} {}; {} has at most {}", has, what, a.name, most));
  };
  if (use.threads < 1 || use.threads > kMaxThreads) {
    return refuse("threads", use.threads, kMaxThreads);
  }
  if (use.scratchpad_bytes > a.block_scratchpad_bytes) {
    return refuse("bytes of scratchpad", use.scratchpad_bytes, a.block_scratchpad_bytes);
  }
  if (use.registers > a.registers_per_thread) {
    return refuse("registers a thread", use.registers, a.registers_per_thread);
  }
  const int warps = (use.threads + a.warp_threads - 1) / a.warp_threads;
  const int rows = round_up(std::max(use.registers, 1), a.register_granule);
  const int by_registers = a.partition_registers / rows * kPartitions / warps;
  if (by_registers == 0) {
    return refuse("registers", int64_t(rows) * a.warp_threads * warps,
                  int64_t(a.partition_registers) * a.warp_threads * kPartitions);
  }
  const int64_t scratchpad = use.scratchpad_bytes + a.reserved_scratchpad_bytes;
  const int by_scratchpad =
      scratchpad == 0 ? a.resident_blocks
                      : int(std::min<int64_t>(a.scratchpad_bytes / scratchpad, a.resident_blocks));
  const int by_threads = a.partition_warps * kPartitions / warps;
  Occupancy result{.blocks = a.resident_blocks, .limit = "blocks"};
  auto bound = [&](int blocks, std::string_view limit) {
    if (blocks < result.blocks) result = {.blocks = blocks, .limit = limit};
  };
  bound(by_threads, "threads");
  bound(by_registers, "registers");
  bound(by_scratchpad, "scratchpad");
  result.fraction = double(result.blocks * warps) / (a.partition_warps * kPartitions);
  return result;
}

}  // namespace kiln::devices
