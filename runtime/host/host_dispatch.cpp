#include "runtime/host/host_dispatch.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "runtime/host/host_run.h"
#include "runtime/launch_checks.h"

namespace kiln::runtime {
StatusOr<Dispatch> HostDispatch::make(std::shared_ptr<const HostKernel> kernel,
                                      std::span<const int64_t> symbols,
                                      std::span<const double> scalars) {
  const CheckedPlan& plan = kernel->checked();
  KILN_RETURN_IF_ERROR(check_count("scalars", scalars.size(), plan.scalars.size()));
  KILN_RETURN_IF_ERROR(check_symbols(plan.symbols, symbols));
  KILN_ASSIGN_OR_RETURN(Layout layout, lay_out(plan, symbols));
  std::shared_ptr<HostDispatch> dispatch(new HostDispatch(std::move(kernel), std::move(layout)));
  KILN_RETURN_IF_ERROR(dispatch->bind(symbols, scalars));
  return Dispatch(std::move(dispatch));
}

HostDispatch::HostDispatch(std::shared_ptr<const HostKernel> kernel, Layout layout)
    : kernel_(std::move(kernel)), layout_(std::move(layout)) {
  constexpr int64_t kMask = kWorkspaceAlignment - 1;
  scratch_bytes_ = (kernel_->scratch_bytes() + kMask) & ~kMask;
  position_.resize(plan().buffers.size());
  zero_at_.resize(plan().steps.size());
}

Status HostDispatch::bind(std::span<const int64_t> symbols, std::span<const double> scalars) {
  std::ranges::copy(symbols, symbols_.begin());
  for (size_t buffer : plan().arguments) {
    const Buffer& declared = plan().buffers[buffer].declared;
    const BufferLayout& layout = layout_.buffers[buffer];
    position_[buffer] = arguments_.size();
    arguments_.push_back({.name = declared.name,
                          .dtype = declared.dtype,
                          .shape = layout.shape,
                          .strides = layout.strides,
                          .data = nullptr});
  }
  for (size_t i = 0; i < plan().buffers.size(); ++i) {
    const CheckedPlan::Buffer& buffer = plan().buffers[i];
    // The workspace is the caller's and unknown at every launch, so "clean on exit" saves nothing.
    if (buffer.used && buffer.declared.initial != Buffer::Initial::kNone) {
      zero_at_[buffer.first_step].push_back(i);
    }
  }
  bool late = false;
  for (size_t step = 0; step < plan().steps.size(); ++step) {
    if (const auto* launch = std::get_if<CheckedPlan::Launch>(&plan().steps[step])) {
      KILN_RETURN_IF_ERROR(bind_launch(*launch, step, late, scalars));
    } else if (const auto* fill = std::get_if<CheckedPlan::Fill>(&plan().steps[step])) {
      steps_.push_back(*fill);
    } else if (const auto* scan = std::get_if<CheckedPlan::Scan>(&plan().steps[step])) {
      steps_.push_back(*scan);
    } else {
      steps_.push_back(std::get<CheckedPlan::Read>(plan().steps[step]));
      late = true;
    }
  }
  return absl::OkStatus();
}

Status HostDispatch::bind_launch(const CheckedPlan::Launch& launch, size_t step, bool late,
                                 std::span<const double> scalars) {
  BoundLaunch bound;
  bound.step = step;
  bound.entry = kernel_->entry_of(step);
  bound.late = late;
  if (!late) {
    KILN_ASSIGN_OR_RETURN(bound.grid, grid_of(launch, symbols_));
  }
  bound.shape.threads = int64_t(launch.block[0]) * launch.block[1] * launch.block[2];
  KILN_ASSIGN_OR_RETURN(bound.shape.scratchpad_bytes, launch.scratchpad_bytes.evaluate(symbols_));
  bound.slots.resize(launch.slots);
  for (const CheckedPlan::Argument& argument : launch.arguments) {
    KilnU64* slot = bound.slots.data() + argument.slot;
    switch (argument.kind) {
      case Argument::Kind::kTensor: {
        const bool own = plan().buffers[argument.index].declared.kind == Buffer::Kind::kPerWorker;
        (own ? bound.of_worker : bound.patches).push_back({argument.slot, argument.index});
        for (int64_t stride : layout_.buffers[argument.index].strides)
          *++slot = KilnU64(stride);
        break;
      }
      case Argument::Kind::kSize: {
        if (late) break;
        KILN_ASSIGN_OR_RETURN(const int64_t size, argument.size.evaluate(symbols_));
        *slot = KilnU64(size);
        break;
      }
      case Argument::Kind::kScalar:
        *slot = std::bit_cast<KilnU64>(scalars[argument.index]);
        break;
      case Argument::Kind::kTensorMap:
        if (!kernel_->emulated()) {
          return absl::FailedPreconditionError(fmt::format(
              "{} takes a tensor map, which processors have no copies for; its plan is a GPU's",
              printable(launch.entry)));
        }
        bound.maps.push_back({argument.slot, argument.index, &argument.map});
        break;
    }
  }
  steps_.push_back(std::move(bound));
  return absl::OkStatus();
}

StatusOr<HostDispatch::Grid> HostDispatch::grid_of(const CheckedPlan::Launch& launch,
                                                   std::span<const int64_t> symbols) {
  Grid grid;
  int64_t blocks = 1;
  for (size_t axis = 0; axis < 3; ++axis) {
    StatusOr<int64_t> extent = launch.grid[axis].evaluate(symbols);
    if (!extent.ok()) return annotate(extent.status(), fmt::format("grid of {}", launch.entry));
    grid[axis] = *extent;
    if (grid[axis] < 0 || __builtin_mul_overflow(blocks, grid[axis], &blocks)) {
      return absl::OutOfRangeError(fmt::format(
          "grid of {}: {} blocks along an axis; expected 0 or more, and a product of 64 bits",
          printable(launch.entry), grid[axis]));
    }
  }
  return grid;
}

int64_t HostDispatch::workspace_bytes(int workers) const {
  return layout_.arena_bytes + workers * bytes_per_worker();
}

Status HostDispatch::launch(std::span<const Tensor> tensors, void* workspace,
                            ParallelFor& parallel) const {
  KILN_RETURN_IF_ERROR(check_count("tensors", tensors.size(), arguments_.size()));
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Buffer& declared = plan().buffers[plan().arguments[i]].declared;
    KILN_RETURN_IF_ERROR(check_tensor(arguments_[i], declared, tensors[i]));
  }
  KILN_RETURN_IF_ERROR(check_workspace(workspace, workspace_bytes(parallel.workers())));
  return Run(*this, tensors, static_cast<char*>(workspace), parallel).all_steps();
}

}  // namespace kiln::runtime
