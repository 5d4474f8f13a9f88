// GPU architectures that kernels are compiled for, and how many blocks of a kernel one
// multiprocessor holds.
//
// "Multiprocessor" is what a block stays on: NVIDIA's SM, CDNA's compute unit, RDNA's workgroup
// processor. It is cut into partitions that own their registers: 4 everywhere. Sources: CUDA C++
// Programming Guide, "Compute Capabilities"; LLVM's AMDGPUBaseInfo and "User Guide for AMDGPU".

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/status.h"
#include "core/target.h"

namespace kiln::devices {

struct GpuArchitecture {
  std::string_view name;                      // as compilers spell it
  std::string_view kind;                      // "cuda", "hip"
  std::array<std::string_view, 2> fragments;  // best first; may be fewer
  bool async_copy;
  int warp_threads;
  int typical_multiprocessors;  // of the best known device: for spaces when none is there
  int registers_per_thread;     // most
  int partition_registers;      // warp-wide registers of a partition
  int register_granule;         // a warp's are rounded up to a multiple
  int partition_warps;
  int resident_blocks;                // most on a multiprocessor
  int64_t scratchpad_bytes;           // of a multiprocessor
  int64_t block_scratchpad_bytes;     // most of a block
  int64_t reserved_scratchpad_bytes;  // of each block, by the system
};

inline constexpr int kPartitions = 4;

std::span<const GpuArchitecture> gpu_architectures();
const GpuArchitecture* find_gpu_architecture(std::string_view name);  // null: unknown

Target target_of(const GpuArchitecture& architecture);

struct BlockUse {
  int threads = 1;
  int registers = 0;  // of a thread
  int64_t scratchpad_bytes = 0;
};
struct Occupancy {
  int blocks = 0;          // on a multiprocessor
  double fraction = 0;     // of the warps that it can hold
  std::string_view limit;  // "registers", "scratchpad", "threads", "blocks"
};
// RESOURCE_EXHAUSTED says what a block has too much of to be launched at all.
StatusOr<Occupancy> occupancy(const GpuArchitecture& architecture, const BlockUse& use);

}  // namespace kiln::devices
