// Measures what the machine gives at this moment: arithmetic and memory bandwidth, on all threads
// of a pool, in a few milliseconds.
//
//     Probe probe(set, buffer);
//     double flops = probe.fma(pool, 5ms);
//
// Shared machines change speed from second to second; a kernel's time means something beside the
// probe that ran next to it. A Probe belongs to one thread at a time.

#pragma once

#include <chrono>
#include <cstddef>
#include <span>

#include "runtime/host/instruction_set.h"
#include "runtime/parallel_for.h"

namespace kiln::devices {

class Probe {
 public:
  // Uses the instructions of `set`, which this processor must have. `buffer` is what the bandwidth
  // probes go through, round and round, each run from where the last one stopped: make it a
  // multiple of the last-level cache. It must stay; its content is overwritten by copy().
  Probe(runtime::InstructionSet set, std::span<std::byte> buffer);

  // FLOP/s of independent f32 multiply-adds in registers, two operations each.
  double fma(runtime::ParallelFor& parallel, std::chrono::nanoseconds length) const;
  // FLOP/s of bf16 dot products with f32 sums; 0 when `set` has none.
  double bf16_dot(runtime::ParallelFor& parallel, std::chrono::nanoseconds length) const;
  // Bytes/s read. 0 when the buffer is too small to share out.
  double read(runtime::ParallelFor& parallel, std::chrono::nanoseconds length);
  // Bytes/s read plus bytes/s written, past the caches, from one half of the buffer to the other.
  double copy(runtime::ParallelFor& parallel, std::chrono::nanoseconds length);

 private:
  double stream(runtime::ParallelFor& parallel, std::chrono::nanoseconds length, bool copy);

  runtime::InstructionSet set_;
  std::span<std::byte> buffer_;
  size_t cursor_ = 0;  // where in each worker's share the next bandwidth run starts
};

}  // namespace kiln::devices
