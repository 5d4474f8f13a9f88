// The inner loops of the probes, one version for each instruction set.

#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/host/instruction_set.h"

namespace kiln::devices {

// The bandwidth loops work on whole chunks at aligned addresses.
inline constexpr size_t kProbeChunk = 4096;

struct ProbeLoops {
  // Runs a fixed piece of work of a few microseconds; returns its floating-point operations.
  double (*fma)();
  double (*bf16_dot)();  // null: no such instructions
  // Reads, or copies with stores that bypass the caches, kProbeChunk-sized pieces.
  void (*read)(const std::byte* from, size_t bytes);
  void (*copy)(std::byte* to, const std::byte* from, size_t bytes);
};

ProbeLoops probe_loops(runtime::InstructionSet set);

}  // namespace kiln::devices
