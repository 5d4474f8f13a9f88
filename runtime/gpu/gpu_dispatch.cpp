#include "runtime/gpu/gpu_dispatch.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "runtime/exclusive_sum.h"
#include "runtime/launch_checks.h"

namespace kiln::runtime {
namespace {

constexpr int64_t kMaxGridX = std::numeric_limits<int32_t>::max();
constexpr int64_t kMaxGridYz = 65535;

StatusOr<unsigned> grid_extent(const CheckedPlan::Launch& launch, size_t axis,
                               std::span<const int64_t> symbols) {
  const StatusOr<int64_t> extent = launch.grid[axis].evaluate(symbols);
  if (!extent.ok()) return annotate(extent.status(), fmt::format("grid of {}", launch.entry));
  const int64_t most = axis == 0 ? kMaxGridX : kMaxGridYz;
  if (*extent >= 0 && *extent <= most) return unsigned(*extent);
  return absl::OutOfRangeError(fmt::format("grid of {}: {} blocks along axis {}; at most {}",
                                           printable(launch.entry), *extent, axis, most));
}

}  // namespace

StatusOr<Dispatch> GpuDispatch::make(std::shared_ptr<const GpuKernel> kernel,
                                     std::span<const int64_t> symbols,
                                     std::span<const double> scalars) {
  const CheckedPlan& plan = kernel->checked();
  KILN_RETURN_IF_ERROR(check_symbols(plan.symbols, symbols));
  KILN_RETURN_IF_ERROR(check_count("scalars", scalars.size(), plan.scalars.size()));
  KILN_ASSIGN_OR_RETURN(Layout layout, lay_out(plan, symbols));
  std::shared_ptr<GpuDispatch> dispatch(new GpuDispatch(std::move(kernel), std::move(layout)));
  std::ranges::copy(symbols, dispatch->symbols_.begin());
  dispatch->scalars_.assign(scalars.begin(), scalars.end());
  KILN_RETURN_IF_ERROR(dispatch->find_entries());
  return Dispatch(std::move(dispatch));
}

GpuDispatch::GpuDispatch(std::shared_ptr<const GpuKernel> kernel, Layout layout)
    : kernel_(std::move(kernel)), layout_(std::move(layout)) {
  position_.resize(plan().buffers.size());
  for (size_t buffer : plan().arguments) {
    const Buffer& declared = plan().buffers[buffer].declared;
    position_[buffer] = arguments_.size();
    arguments_.push_back({.name = declared.name,
                          .dtype = declared.dtype,
                          .shape = layout_.buffers[buffer].shape,
                          .strides = layout_.buffers[buffer].strides,
                          .data = nullptr});
  }
}

Status GpuDispatch::find_entries() {
  for (const CheckedPlan::Step& step : plan().steps) {
    GpuDriver::Handle entry = nullptr;
    if (const auto* launch = std::get_if<CheckedPlan::Launch>(&step)) {
      KILN_ASSIGN_OR_RETURN(const int64_t scratchpad, launch->scratchpad_bytes.evaluate(symbols_));
      KILN_ASSIGN_OR_RETURN(entry, kernel_->entry(launch->entry, scratchpad));
    }
    entries_.push_back(entry);
  }
  return absl::OkStatus();
}

Status GpuDispatch::launch(std::span<const Tensor> tensors, void* workspace, ParallelFor&) const {
  KILN_RETURN_IF_ERROR(enqueue(tensors, workspace, nullptr));
  return kernel_->driver().synchronize(nullptr);
}

Status GpuDispatch::enqueue(std::span<const Tensor> tensors, void* workspace,
                            GpuDriver::Handle stream) const {
  KILN_RETURN_IF_ERROR(check_count("tensors", tensors.size(), arguments_.size()));
  for (size_t i = 0; i < tensors.size(); ++i) {
    KILN_RETURN_IF_ERROR(
        check_tensor(arguments_[i], plan().buffers[plan().arguments[i]].declared, tensors[i]));
  }
  KILN_RETURN_IF_ERROR(check_workspace(workspace, layout_.arena_bytes));
  Run state{.tensors = tensors,
            .workspace = static_cast<char*>(workspace),
            .stream = stream,
            .symbols = symbols_};
  for (size_t step = 0; step < plan().steps.size(); ++step) {
    for (size_t i = 0; i < plan().buffers.size(); ++i) {
      const CheckedPlan::Buffer& buffer = plan().buffers[i];
      if (!buffer.used || buffer.first_step != step ||
          buffer.declared.initial == Buffer::Initial::kNone) {
        continue;
      }
      KILN_RETURN_IF_ERROR(
          kernel_->driver().fill(address_of(i, state), 0, layout_.buffers[i].bytes, stream));
    }
    KILN_RETURN_IF_ERROR(
        std::visit([&](const auto& s) { return run(s, step, state); }, plan().steps[step]));
  }
  return absl::OkStatus();
}

GpuDriver::Address GpuDispatch::address_of(size_t buffer, const Run& run) const {
  const void* address = plan().buffers[buffer].declared.kind == Buffer::Kind::kTemporary
                            ? run.workspace + layout_.buffers[buffer].offset
                            : run.tensors[position_[buffer]].data;
  return reinterpret_cast<GpuDriver::Address>(address);
}

std::span<const int64_t> GpuDispatch::strides_of(size_t buffer, const Run& run) const {
  const std::vector<int64_t>& dense = layout_.buffers[buffer].strides;
  if (plan().buffers[buffer].declared.kind == Buffer::Kind::kTemporary) return dense;
  const Tensor& tensor = run.tensors[position_[buffer]];
  return tensor.strides ? std::span(tensor.strides, dense.size()) : std::span(dense);
}

Status GpuDispatch::run(const CheckedPlan::Launch& launch, size_t step, Run& run) const {
  GpuDriver::Launch call{.entry = entries_[step]};
  for (size_t axis = 0; axis < 3; ++axis) {
    KILN_ASSIGN_OR_RETURN(call.grid[axis], grid_extent(launch, axis, run.symbols));
    call.block[axis] = unsigned(launch.block[axis]);
    if (call.grid[axis] == 0) return absl::OkStatus();
  }
  KILN_ASSIGN_OR_RETURN(const int64_t scratchpad, launch.scratchpad_bytes.evaluate(run.symbols));
  call.scratchpad_bytes = unsigned(scratchpad);
  std::array<uint64_t, kMaxSlots> slots;
  for (const CheckedPlan::Argument& argument : launch.arguments) {
    uint64_t* slot = slots.data() + argument.slot;
    switch (argument.kind) {
      case Argument::Kind::kTensor:
        *slot++ = address_of(argument.index, run);
        for (int64_t stride : strides_of(argument.index, run))
          *slot++ = uint64_t(stride);
        break;
      case Argument::Kind::kSize: {
        KILN_ASSIGN_OR_RETURN(const int64_t size, argument.size.evaluate(run.symbols));
        *slot = uint64_t(size);
        break;
      }
      case Argument::Kind::kScalar:
        *slot = std::bit_cast<uint64_t>(scalars_[argument.index]);
        break;
      case Argument::Kind::kTensorMap:
        KILN_RETURN_IF_ERROR(put_map(argument, run, slot));
        break;
    }
  }
  call.parameter = slots.data();
  return kernel_->driver().launch(call, run.stream);
}

Status GpuDispatch::put_map(const CheckedPlan::Argument& argument, const Run& run,
                            uint64_t* slots) const {
  std::fill_n(slots, kKilnMapSlots, 0);
  const auto mapped = mapped_tensor(
      argument.map, plan().buffers[argument.index].declared.dtype, address_of(argument.index, run),
      layout_.buffers[argument.index].shape, strides_of(argument.index, run));
  if (!mapped) return absl::OkStatus();
  KILN_ASSIGN_OR_RETURN(const GpuDriver::MapWords words, kernel_->driver().encode(*mapped));
  std::ranges::copy(words, slots);
  slots[kKilnMapWords] = 1;
  return absl::OkStatus();
}

Status GpuDispatch::check_dense(size_t buffer, const Run& run) const {
  if (std::ranges::equal(strides_of(buffer, run), layout_.buffers[buffer].strides)) {
    return absl::OkStatus();
  }
  return invalid_field(plan().buffers[buffer].declared.name, "strides with gaps",
                       "a dense buffer, which a step of the plan works on as a whole");
}

Status GpuDispatch::run(const CheckedPlan::Fill& fill, size_t, Run& run) const {
  KILN_RETURN_IF_ERROR(check_dense(fill.buffer, run));
  return kernel_->driver().fill(address_of(fill.buffer, run), fill.byte,
                                layout_.buffers[fill.buffer].bytes, run.stream);
}

Status GpuDispatch::run(const CheckedPlan::Read& read, size_t, Run& run) const {
  KILN_RETURN_IF_ERROR(check_dense(read.buffer, run));
  KILN_ASSIGN_OR_RETURN(const int64_t index, read.index.evaluate(run.symbols));
  const int64_t length = layout_.buffers[read.buffer].shape[0];
  if (index < 0 || index >= length) {
    return absl::OutOfRangeError(fmt::format("read of element {} of buffer {}, which has {}", index,
                                             plan().buffers[read.buffer].declared.name, length));
  }
  int64_t value = 0;
  KILN_RETURN_IF_ERROR(kernel_->driver().synchronize(run.stream));
  KILN_RETURN_IF_ERROR(kernel_->driver().download(
      &value, address_of(read.buffer, run) + uint64_t(index) * sizeof(value), sizeof(value)));
  run.symbols[read.symbol] = value;
  return absl::OkStatus();
}

// By way of the host: counters are few.
Status GpuDispatch::run(const CheckedPlan::Scan& scan, size_t, Run& run) const {
  KILN_RETURN_IF_ERROR(check_dense(scan.buffer, run));
  const BufferLayout& layout = layout_.buffers[scan.buffer];
  std::vector<int64_t> counters(size_t(layout.shape[0]));
  KILN_RETURN_IF_ERROR(kernel_->driver().synchronize(run.stream));
  KILN_RETURN_IF_ERROR(
      kernel_->driver().download(counters.data(), address_of(scan.buffer, run), layout.bytes));
  KILN_RETURN_IF_ERROR(exclusive_sum(counters.data(), layout.shape[0], 1,
                                     plan().buffers[scan.buffer].declared.name));
  KILN_RETURN_IF_ERROR(
      kernel_->driver().upload(address_of(scan.buffer, run), counters.data(), layout.bytes));
  // An upload may still be under way, and other streams do not wait for it.
  return kernel_->driver().synchronize(nullptr);
}

}  // namespace kiln::runtime
