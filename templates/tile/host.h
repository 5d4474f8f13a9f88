// Makes a host artifact of kernels: `KILN_ENTRIES(Config, Kernel, ...)` once in a translation unit
// exports what runtime/host/abi.h asks for. Entry k is the k-th kernel.
//
// A kernel is a type with
//
//     static constexpr const char* name;  // as plans name the entry
//     struct Args;                        // Tensor<R>, i64, double: the launch's slots
//     using Work = tile::Tiles;           // or tile::Items
//     template <class Blk>
//     static void run(Blk&, const Args&);     // one block of the grid
//     template <class Blk>
//     static constexpr i64 stack_bytes();     // optional: of its tiles
//     template <class Blk>
//     static constexpr u32 scratch_bytes();   // optional: items keep their tiles in scratch
//
// and reads its config as `typename Blk::Config`.

#pragma once

#include "runtime/host/abi.h"
#include "tile/core.h"
#include "tile/freestanding.h"
#include "tile/wide/block.h"

#if defined(__AVX512BF16__) && TILE_LANES == 16
#define TILE_INSTRUCTION_SET "avx512bf16"
#elif TILE_MASKED_ACCESS
#define TILE_INSTRUCTION_SET "avx512"
#elif defined(__AVX2__)
#define TILE_INSTRUCTION_SET "avx2"
#else
#define TILE_INSTRUCTION_SET "baseline"
#endif

namespace tile::host {

template <class Kernel, class Config>
using BlockFor = typename BlockOf<typename Kernel::Work, Config>::Type;

template <class Kernel, class Config>
constexpr KilnHostEntry entry() {
  using Blk = BlockFor<Kernel, Config>;
  static_assert(sizeof(typename Kernel::Args) % 8 == 0);
  i64 stack = 16384;
  if constexpr (requires { Kernel::template stack_bytes<Blk>(); }) {
    stack += Kernel::template stack_bytes<Blk>();
  }
  u32 scratch = 0;
  if constexpr (requires { Kernel::template scratch_bytes<Blk>(); }) {
    scratch = Kernel::template scratch_bytes<Blk>();
  }
  return {Kernel::name, sizeof(typename Kernel::Args) / 8, scratch, (u32)stack};
}

// Not inlined, lest every caller's optimisation begin with all of the kernel once more.
template <class Kernel, class Config>
__attribute__((noinline)) void run_blocks(const KilnHostLaunch& launch, i64 first, i64 last,
                                          void* scratch) {
  using Blk = BlockFor<Kernel, Config>;
  const auto& args = *reinterpret_cast<const typename Kernel::Args*>(launch.slots);
  const i64 nx = launch.grid[0], ny = launch.grid[1];
  for (i64 b = first; b < last; ++b) {
    const i64 id[3] = {b % nx, b / nx % ny, b / nx / ny};
    if constexpr (requires { Blk(id, scratch); }) {
      Blk block(id, scratch);
      Kernel::run(block, args);
    } else {
      Blk block(id);
      Kernel::run(block, args);
    }
  }
}

template <class Config, class... Kernels>
struct Artifact {
  static constexpr KilnHostEntry kEntries[] = {entry<Kernels, Config>()...};
  static constexpr KilnHostInfo kInfo = {kKilnHostAbiVersion, sizeof...(Kernels), kEntries,
                                         TILE_INSTRUCTION_SET};

  static TILE_FN void run(u32 entry, const KilnHostLaunch& launch, i64 first, i64 last,
                          void* scratch) {
    u32 k = 0;
    ((k++ == entry ? run_blocks<Kernels, Config>(launch, first, last, scratch) : void()), ...);
  }
};

}  // namespace tile::host

#define KILN_ENTRIES(...)                                                                        \
  extern "C" __attribute__((visibility("default"))) const KilnHostInfo* kiln_host_info_v1() {    \
    return &tile::host::Artifact<__VA_ARGS__>::kInfo;                                            \
  }                                                                                              \
  extern "C" __attribute__((visibility("default"))) void kiln_host_blocks_v1(                    \
      KilnU32 entry, const KilnHostLaunch* launch, KilnI64 first, KilnI64 last, void* scratch) { \
    tile::host::Artifact<__VA_ARGS__>::run(entry, *launch, first, last, scratch);                \
  }
