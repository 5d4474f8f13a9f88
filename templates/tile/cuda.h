// Makes a cubin of kernels: one `KILN_ENTRY(name, Config, Kernel)` for each exports a kernel of
// that name, which takes the launch's slots (runtime/host/abi.h) as its one parameter. What a
// kernel is, tile/host.h says.

#pragma once

#include "tile/simt/entry.h"
#include "tile/targets/cuda.h"

#define KILN_ENTRY(NAME, CONFIG, KERNEL)                                                  \
  extern "C" __global__ void __launch_bounds__(tile::EntryOf<KERNEL, CONFIG>::kThreads)   \
      NAME(const __grid_constant__ KERNEL::Args args) {                                   \
    static_assert(tile::same_text(KERNEL::name, #NAME), "named otherwise in its source"); \
    tile::EntryOf<KERNEL, CONFIG>::run(tile::Target{}, args);                             \
  }
