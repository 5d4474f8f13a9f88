// A GPU kernel bound to sizes.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "core/tensor.h"
#include "runtime/buffer_layout.h"
#include "runtime/checked_plan.h"
#include "runtime/dispatch_body.h"
#include "runtime/gpu/gpu_kernel.h"

namespace kiln::runtime {

class GpuDispatch : public Dispatch::Body {
 public:
  static StatusOr<Dispatch> make(std::shared_ptr<const GpuKernel> kernel,
                                 std::span<const int64_t> symbols, std::span<const double> scalars);

  int64_t workspace_bytes(int) const override { return layout_.arena_bytes; }
  std::span<const HostTensor> arguments() const override { return arguments_; }
  Status launch(std::span<const Tensor> tensors, void* workspace,
                ParallelFor& parallel) const override;
  Status enqueue(std::span<const Tensor> tensors, void* workspace,
                 GpuDriver::Handle stream) const override;

 private:
  using Symbols = std::array<int64_t, kMaxPlanSymbols>;
  // Where buffers lie in one launch, and what Read steps have read.
  struct Run {
    std::span<const Tensor> tensors;
    char* workspace;
    GpuDriver::Handle stream;
    Symbols symbols;
  };

  GpuDispatch(std::shared_ptr<const GpuKernel> kernel, Layout layout);
  Status find_entries();

  Status run(const CheckedPlan::Launch& launch, size_t step, Run& run) const;
  Status run(const CheckedPlan::Fill& fill, size_t step, Run& run) const;
  Status run(const CheckedPlan::Read& read, size_t step, Run& run) const;
  Status run(const CheckedPlan::Scan& scan, size_t step, Run& run) const;

  GpuDriver::Address address_of(size_t buffer, const Run& run) const;
  std::span<const int64_t> strides_of(size_t buffer, const Run& run) const;
  // The slots of a tensor map.
  Status put_map(const CheckedPlan::Argument& argument, const Run& run, uint64_t* slots) const;
  Status check_dense(size_t buffer, const Run& run) const;
  const CheckedPlan& plan() const { return kernel_->checked(); }

  std::shared_ptr<const GpuKernel> kernel_;
  Layout layout_;
  std::vector<HostTensor> arguments_;
  std::vector<size_t> position_;            // among the arguments, by buffer
  std::vector<GpuDriver::Handle> entries_;  // by step
  std::vector<double> scalars_;
  Symbols symbols_{};
};

}  // namespace kiln::runtime
