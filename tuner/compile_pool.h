// Compiles batches of variants, several at once.

#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "core/artifact.h"
#include "core/kernel_source.h"
#include "core/status.h"
#include "devices/compiler.h"

namespace kiln::tuner {

struct Compiled {
  StatusOr<Artifact> artifact;
  std::vector<devices::ResourceUse> entries = {};  // as devices::Compilation has them
  double ms = 0;
};

class CompilePool {
 public:
  // `processes` at once; 0: the processors that this process may use.
  CompilePool(const devices::Compiler& compiler, int processes);

  // Returns when all are done, in the order given; those not begun when stopped are CANCELLED.
  // Thread-safe.
  std::vector<Compiled> compile(std::span<const KernelSource> sources, int niceness,
                                std::stop_token stop) const;
  int processes() const { return processes_; }

 private:
  const devices::Compiler& compiler_;
  int processes_;
};

}  // namespace kiln::tuner
