// A processor with AVX-512 and bf16 dot products (Sapphire Rapids), emulated, for machines without.
//
// The processor is Bochs' as PyPI's package bochscpu-python brings it; KILN_BOCHSCPU names its
// shared library. Emulated code sees this process's memory at its own addresses, so that a function
// of this process can be run with this process's pointers; about 30 million instructions a second.
// An exception of the emulated processor (an unknown instruction, a misaligned operand) or a wild
// access ends the process with a word about where.

#pragma once

#include "runtime/parallel_for.h"

namespace kiln::testing {

class EmulatedProcessor {
 public:
  // Null without KILN_BOCHSCPU. There is one, whatever the number of threads.
  static EmulatedProcessor* instance();

  // Runs function(context, first, last, worker) to its end; calls take turns.
  virtual void call(runtime::ParallelFor::Body function, void* context, int64_t first, int64_t last,
                    int worker) = 0;

 protected:
  ~EmulatedProcessor() = default;
};

// Deals ranges to workers that the emulated processor runs one after another.
class EmulatedPool : public runtime::ParallelFor {
 public:
  EmulatedPool(EmulatedProcessor& processor, int workers)
      : processor_(processor), workers_(workers) {}
  int workers() const override { return workers_; }
  void run(int64_t total, Body body, void* context) override;

 private:
  EmulatedProcessor& processor_;
  int workers_;
};

}  // namespace kiln::testing
