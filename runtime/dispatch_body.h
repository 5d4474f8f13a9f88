// What a Dispatch refers to; one kind a target.

#pragma once

#include <cstdint>
#include <span>

#include "core/status.h"
#include "core/tensor.h"
#include "runtime/kernel.h"
#include "runtime/parallel_for.h"

namespace kiln::runtime {

// The contract of each method stands at Dispatch's.
struct Dispatch::Body {
  virtual ~Body() = default;
  virtual int64_t workspace_bytes(int workers) const = 0;
  virtual std::span<const HostTensor> arguments() const = 0;
  virtual Status launch(std::span<const Tensor> tensors, void* workspace,
                        ParallelFor& parallel) const = 0;
  virtual Status enqueue(std::span<const Tensor>, void*, void*) const {
    return absl::FailedPreconditionError(
        "a kernel of this processor has no stream to wait in; launch() it");
  }
};

}  // namespace kiln::runtime
