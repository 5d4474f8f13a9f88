// Kernels that measure what a GPU's arithmetic gives at the moment (templates/tile/probe.h).
//
// Sizes of the plan: `blocks` to launch, `iterations` of each. One output, which is of no interest.

#pragma once

#include <vector>

#include "core/kernel_source.h"
#include "core/plan.h"
#include "core/target.h"

namespace kiln::devices {

struct GpuProbe {
  KernelSource source;
  Plan plan;
  double flops = 0;  // of a block and iteration
};

// Of f32, then of halves in the matrix units where the target has them.
std::vector<GpuProbe> gpu_probes(const Target& target);
// Blocks that keep all multiprocessors busy.
int probe_blocks(const Target& target);

}  // namespace kiln::devices
