// A host kernel bound to sizes. Everything that depends on sizes alone is worked out here, once;
// launch() copies each step's argument slots to its stack, fills in addresses and strides, and runs
// the blocks.

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
#include "runtime/emulator/emulation.h"
#include "runtime/host/host_kernel.h"

namespace kiln::runtime {

class HostDispatch : public Dispatch::Body {
 public:
  static StatusOr<Dispatch> make(std::shared_ptr<const HostKernel> kernel,
                                 std::span<const int64_t> symbols, std::span<const double> scalars);

  int64_t workspace_bytes(int workers) const override;
  std::span<const HostTensor> arguments() const override { return arguments_; }
  Status launch(std::span<const Tensor> tensors, void* workspace,
                ParallelFor& parallel) const override;

 private:
  using Grid = std::array<int64_t, 3>;

  // An address (and strides) that a launch puts into the slots.
  struct Patch {
    size_t slot;
    size_t buffer;
  };
  // A tensor map that a launch puts there.
  struct MapPatch {
    size_t slot;
    size_t buffer;
    const TensorMap* map;  // of the kernel's plan
  };
  struct BoundLaunch {
    size_t step = 0;  // in the plan
    KilnU32 entry = 0;
    Grid grid{};                   // of a late launch: worked out when it runs
    std::vector<KilnU64> slots;    // sizes, scalars and dense strides filled in
    std::vector<Patch> patches;    // buffers that all workers share
    std::vector<Patch> of_worker;  // each worker's own buffers
    std::vector<MapPatch> maps;    // of buffers that all workers share
    emulator::LaunchShape shape;   // of an emulated launch
    bool late = false;             // runs behind a Read: sizes depend on what was read
  };
  using Step = std::variant<BoundLaunch, CheckedPlan::Fill, CheckedPlan::Read, CheckedPlan::Scan>;

  class Run;

  HostDispatch(std::shared_ptr<const HostKernel> kernel, Layout layout);
  Status bind(std::span<const int64_t> symbols, std::span<const double> scalars);
  Status bind_launch(const CheckedPlan::Launch& launch, size_t step, bool late,
                     std::span<const double> scalars);
  static StatusOr<Grid> grid_of(const CheckedPlan::Launch& launch,
                                std::span<const int64_t> symbols);

  const CheckedPlan& plan() const { return kernel_->checked(); }
  int64_t bytes_per_worker() const { return layout_.worker_bytes + scratch_bytes_; }

  std::shared_ptr<const HostKernel> kernel_;
  Layout layout_;
  int64_t scratch_bytes_ = 0;  // a worker's, rounded up
  std::vector<HostTensor> arguments_;
  std::vector<size_t> position_;              // among the arguments, by buffer
  std::vector<std::vector<size_t>> zero_at_;  // buffers to set to zero before a step
  std::vector<Step> steps_;
  std::array<int64_t, kMaxPlanSymbols> symbols_{};
};

}  // namespace kiln::runtime
