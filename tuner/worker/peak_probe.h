// The machine's momentary peaks, as a child sees them. Single-threaded.

#pragma once

#include <cstdint>
#include <optional>

#include "core/status.h"
#include "devices/host/probe.h"
#include "runtime/parallel_for.h"
#include "tuner/memory_file.h"
#include "tuner/worker/protocol.h"

namespace kiln::tuner::worker {

class PeakProbe {
 public:
  // `memory`: a file larger than the last-level caches, for bandwidth probes.
  PeakProbe(runtime::ParallelFor& parallel, int memory, int64_t bytes);

  // Maps the memory that a bandwidth probe needs; others need none.
  Status prepare(Probe probe);
  // FLOP/s or bytes/s of a run of about this length; 0 where the processor lacks the instructions.
  double run(Probe probe, int64_t length_ns);

 private:
  runtime::ParallelFor& parallel_;
  int memory_;
  int64_t bytes_;
  Mapping area_;
  devices::Probe probe_;
};

}  // namespace kiln::tuner::worker
