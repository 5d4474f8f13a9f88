// One launch of an emulated artifact: what blocks may touch, how they are seeded, what was found.
//
//     Emulation emulation(std::move(tensors), launch.block, launch.scratchpad_bytes, options);
//     host_launch.emulator = emulation.api();
//     blocks(entry, &host_launch, first, last, nullptr);       // from any number of threads
//     return emulation.status();

#pragma once

#include <cstdint>
#include <vector>

#include "core/status.h"
#include "runtime/emulator/abi.h"
#include "runtime/emulator/fault.h"
#include "runtime/emulator/global_memory.h"

namespace kiln::runtime::emulator {

// What the plan says about a launch; the artifact's own needs are checked against it.
struct LaunchShape {
  int64_t threads = 0;
  int64_t scratchpad_bytes = 0;
};

class Emulation {
 public:
  // Blocks draw their order of threads from `seed` and their own index.
  Emulation(std::vector<GlobalTensor> tensors, const LaunchShape& shape, uint64_t seed);

  const KilnEmulatorApi* api() const { return &table_; }
  Status status() const { return faults_.status(seed_); }
  const FaultLog& faults() const { return faults_; }

 private:
  // What KilnHostLaunch::emulator points to.
  struct Table : KilnEmulatorApi {
    Emulation* emulation;
  };
  static void run(const KilnHostLaunch* launch, const KilnEmulatorBody* body, KilnI64 first,
                  KilnI64 last);

  GlobalMemory global_;
  LaunchShape shape_;
  uint64_t seed_;
  FaultLog faults_;
  Table table_;
};

// The seed that launches use: as given here, else 1. For tests and for reproducing a report.
void set_seed(uint64_t seed);
uint64_t seed();

}  // namespace kiln::runtime::emulator
