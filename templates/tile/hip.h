// Makes a code object for AMD's GPUs of kernels, as tile/cuda.h makes a cubin. Compiled by hipRTC,
// or by clang in HIP mode without HIP's headers.

#pragma once

#ifndef __HIPCC_RTC__
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __forceinline__ inline __attribute__((always_inline))
#endif

#include "tile/simt/entry.h"
#include "tile/targets/hip.h"

#define KILN_ENTRY(NAME, CONFIG, KERNEL)                                                  \
  extern "C" __global__ void __attribute__((amdgpu_flat_work_group_size(                  \
      tile::EntryOf<KERNEL, CONFIG>::kThreads, tile::EntryOf<KERNEL, CONFIG>::kThreads))) \
  NAME(const KERNEL::Args args) {                                                         \
    static_assert(tile::same_text(KERNEL::name, #NAME), "named otherwise in its source"); \
    tile::EntryOf<KERNEL, CONFIG>::run(tile::Target{}, args);                             \
  }
