// What a child gives up before a variant runs: limits, system calls, and the last words it leaves
// when it faults.

#pragma once

#include <cstdint>
#include <span>

#include "core/status.h"
#include "tuner/worker/protocol.h"

namespace kiln::tuner::worker {

// A range of addresses around a tensor that the variant may touch or might stray into.
struct WatchedRange {
  uintptr_t begin = 0;  // of the guard before it
  uintptr_t end = 0;    // of the guard after it
  uintptr_t first = 0;  // the tensor's first byte
  int32_t tensor = -1;
};

struct Limits {
  int64_t cpu_seconds = 0;
  int64_t memory_bytes = 0;  // beyond the present address space
  int64_t output_bytes = 0;
};

// From now on a fault is written to `record` and ends the process. Both arguments stay in use.
void record_faults(FaultRecord& record, std::span<const WatchedRange> ranges);

// Sets the limits and, where the system has seccomp filters, leaves only the system calls that the
// child itself still needs; any other ends the process as a fault. Without filters the limits alone
// hold. Threads must have been started.
Status confine(const Limits& limits);

}  // namespace kiln::tuner::worker
