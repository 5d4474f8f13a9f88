// Makes an artifact for the emulator of kernels: as tile/host.h, with every thread of a GPU's block
// in the place of a block's one thread. The warp size comes from the command line as
// TILE_EMULATOR_LANES.

#pragma once

#define TILE_EMULATOR 1

#include "tile/core.h"
#include "tile/freestanding.h"
#include "tile/targets/emulator.h"

namespace tile::host {

template <class Kernel, class Config>
constexpr KilnHostEntry entry() {
  static_assert(sizeof(typename Kernel::Args) % 8 == 0);
  return {Kernel::name, sizeof(typename Kernel::Args) / 8, 0, 0};
}

template <class Kernel, class Config>
void run_thread(const KilnU64* slots, KilnEmulatorThread* thread) {
  EntryOf<Kernel, Config>::run(Target{thread},
                               *reinterpret_cast<const typename Kernel::Args*>(slots));
}

template <class Config, class... Kernels>
struct Artifact {
  static constexpr KilnHostEntry kEntries[] = {entry<Kernels, Config>()...};
  static constexpr KilnHostInfo kInfo = {kKilnHostAbiVersion, sizeof...(Kernels), kEntries,
                                         TILE_EMULATOR_LANES == 64 ? "wave64" : "warp32"};
  static constexpr KilnEmulatorBody kBodies[] = {
      {run_thread<Kernels, Config>, EntryOf<Kernels, Config>::kThreads, Target::kLanes,
       EntryOf<Kernels, Config>::scratchpad()}...};

  static void run(u32 entry, const KilnHostLaunch& launch, i64 first, i64 last) {
    if (!launch.emulator || launch.emulator->version != kKilnEmulatorAbiVersion) __builtin_trap();
    __atomic_store_n(&emulator, launch.emulator, __ATOMIC_RELAXED);
    launch.emulator->run(&launch, &kBodies[entry], first, last);
  }
};

}  // namespace tile::host

#define KILN_ENTRIES(...)                                                                     \
  extern "C" __attribute__((visibility("default"))) const KilnHostInfo* kiln_host_info_v1() { \
    return &tile::host::Artifact<__VA_ARGS__>::kInfo;                                         \
  }                                                                                           \
  extern "C" __attribute__((visibility("default"))) void kiln_host_blocks_v1(                 \
      KilnU32 entry, const KilnHostLaunch* launch, KilnI64 first, KilnI64 last, void*) {      \
    tile::host::Artifact<__VA_ARGS__>::run(entry, *launch, first, last);                      \
  }
