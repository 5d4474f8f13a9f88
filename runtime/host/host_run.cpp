#include "runtime/host/host_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "runtime/emulator/tensor_map.h"
#include "runtime/exclusive_sum.h"

namespace kiln::runtime {
namespace {

constexpr int64_t kFillPiece = 1 << 20;  // bytes that one hand-out to a worker sets

// Sets the elements of a tensor of any strides and nothing between them.
void fill_elements(char* first, std::span<const int64_t> shape, std::span<const int64_t> strides,
                   size_t element, uint8_t byte) {
  if (shape.empty()) {
    std::memset(first, byte, element);
    return;
  }
  if (shape.size() == 1 && strides[0] == 1) {
    std::memset(first, byte, size_t(shape[0]) * element);
    return;
  }
  for (int64_t i = 0; i < shape[0]; ++i) {
    fill_elements(first + i * strides[0] * int64_t(element), shape.subspan(1), strides.subspan(1),
                  element, byte);
  }
}

}  // namespace

Status HostDispatch::Run::all_steps() {
  for (size_t step = 0; step < dispatch_.steps_.size(); ++step) {
    for (size_t buffer : dispatch_.zero_at_[step]) {
      fill_bytes(address_of(buffer), layout_of(buffer).bytes, 0);
    }
    KILN_RETURN_IF_ERROR(
        std::visit([this](const auto& s) { return run(s); }, dispatch_.steps_[step]));
  }
  return absl::OkStatus();
}

char* HostDispatch::Run::address_of(size_t buffer) const {
  if (dispatch_.plan().buffers[buffer].declared.kind == Buffer::Kind::kTemporary) {
    return workspace_ + layout_of(buffer).offset;
  }
  return static_cast<char*>(tensors_[dispatch_.position_[buffer]].data);
}

std::span<const int64_t> HostDispatch::Run::strides_of(size_t buffer) const {
  const std::vector<int64_t>& dense = layout_of(buffer).strides;
  if (dispatch_.plan().buffers[buffer].declared.kind == Buffer::Kind::kTemporary) return dense;
  const Tensor& tensor = tensors_[dispatch_.position_[buffer]];
  return tensor.strides ? std::span(tensor.strides, dense.size()) : std::span(dense);
}

char* HostDispatch::Run::own_bytes_of(int worker) const {
  return workspace_ + dispatch_.layout_.arena_bytes + worker * dispatch_.bytes_per_worker();
}

Status HostDispatch::Run::fill_in_late(const BoundLaunch& launch, Grid& grid, Slots& slots) const {
  const auto& declared = std::get<CheckedPlan::Launch>(dispatch_.plan().steps[launch.step]);
  KILN_ASSIGN_OR_RETURN(grid, grid_of(declared, symbols_));
  for (const CheckedPlan::Argument& argument : declared.arguments) {
    if (argument.kind != Argument::Kind::kSize) continue;
    KILN_ASSIGN_OR_RETURN(const int64_t size, argument.size.evaluate(symbols_));
    slots[argument.slot] = KilnU64(size);
  }
  return absl::OkStatus();
}

Status HostDispatch::Run::run(const BoundLaunch& launch) {
  Slots slots;
  Grid grid = launch.grid;
  std::ranges::copy(launch.slots, slots.begin());
  if (launch.late) KILN_RETURN_IF_ERROR(fill_in_late(launch, grid, slots));
  for (const Patch& patch : launch.patches) {
    slots[patch.slot] = reinterpret_cast<KilnU64>(address_of(patch.buffer));
    std::ranges::copy(strides_of(patch.buffer), slots.begin() + int64_t(patch.slot) + 1);
  }
  for (const MapPatch& patch : launch.maps) {
    const auto mapped =
        mapped_tensor(*patch.map, dispatch_.plan().buffers[patch.buffer].declared.dtype,
                      reinterpret_cast<uint64_t>(address_of(patch.buffer)),
                      layout_of(patch.buffer).shape, strides_of(patch.buffer));
    if (!mapped) continue;
    emulator::encode(*mapped, slots.data() + patch.slot);
    slots[patch.slot + kKilnMapWords] = 1;
  }

  KilnHostLaunch shared{slots.data(), {grid[0], grid[1], grid[2]}, nullptr};
  if (dispatch_.kernel_->emulated()) return emulate(launch, shared);
  run_blocks(launch, shared);
  return absl::OkStatus();
}

Status HostDispatch::Run::emulate(const BoundLaunch& launch, KilnHostLaunch& shared) {
  std::vector<emulator::GlobalTensor> tensors;
  for (const Patch& patch : launch.patches) {
    const Buffer& declared = dispatch_.plan().buffers[patch.buffer].declared;
    const std::span<const int64_t> strides = strides_of(patch.buffer);
    tensors.push_back({.name = declared.name,
                       .first = address_of(patch.buffer),
                       .element_bytes = int64_t(size_of(declared.dtype)),
                       .shape = layout_of(patch.buffer).shape,
                       .strides = {strides.begin(), strides.end()},
                       .writable = declared.kind != Buffer::Kind::kInput});
  }
  emulator::Emulation emulation(std::move(tensors), launch.shape, emulator::seed());
  shared.emulator = emulation.api();
  run_blocks(launch, shared);
  return emulation.status();
}

void HostDispatch::Run::run_blocks(const BoundLaunch& launch, const KilnHostLaunch& shared) {
  struct Context {
    const Run& run;
    const BoundLaunch& launch;
    KilnHostLaunch shared;
    SharedObject::Blocks blocks;
    char* scratch_of(int worker) const {
      const int64_t bytes = run.dispatch_.scratch_bytes_;
      return bytes ? run.own_bytes_of(worker) + run.dispatch_.layout_.worker_bytes : nullptr;
    }
  } context{*this, launch, shared, dispatch_.kernel_->blocks()};

  auto shared_only = [](void* opaque, int64_t first, int64_t last, int worker) {
    const Context& c = *static_cast<const Context*>(opaque);
    c.blocks(c.launch.entry, &c.shared, first, last, c.scratch_of(worker));
  };
  // Workers with buffers of their own see the same slots but for those addresses.
  auto with_own = [](void* opaque, int64_t first, int64_t last, int worker) {
    const Context& c = *static_cast<const Context*>(opaque);
    Slots slots;
    std::copy_n(c.shared.slots, c.launch.slots.size(), slots.begin());
    for (const Patch& patch : c.launch.of_worker) {
      slots[patch.slot] = reinterpret_cast<KilnU64>(c.run.own_bytes_of(worker) +
                                                    c.run.layout_of(patch.buffer).offset);
    }
    KilnHostLaunch own = c.shared;
    own.slots = slots.data();
    c.blocks(c.launch.entry, &own, first, last, c.scratch_of(worker));
  };
  const int64_t blocks = shared.grid[0] * shared.grid[1] * shared.grid[2];
  if (blocks == 0) return;
  if (launch.of_worker.empty()) {
    parallel_.run(blocks, shared_only, &context);
  } else {
    parallel_.run(blocks, with_own, &context);
  }
}

void HostDispatch::Run::fill_bytes(char* first, int64_t bytes, uint8_t byte) {
  if (bytes <= kFillPiece) {
    std::memset(first, byte, size_t(bytes));
    return;
  }
  struct Context {
    char* first;
    int64_t bytes;
    uint8_t byte;
  } context{first, bytes, byte};
  auto pieces = [](void* opaque, int64_t begin, int64_t end, int) {
    const Context& c = *static_cast<const Context*>(opaque);
    const int64_t from = begin * kFillPiece, to = std::min(end * kFillPiece, c.bytes);
    std::memset(c.first + from, c.byte, size_t(to - from));
  };
  parallel_.run((bytes + kFillPiece - 1) / kFillPiece, pieces, &context);
}

Status HostDispatch::Run::run(const CheckedPlan::Fill& fill) {
  const BufferLayout& layout = layout_of(fill.buffer);
  const std::span<const int64_t> strides = strides_of(fill.buffer);
  if (layout.bytes == 0) return absl::OkStatus();
  if (std::ranges::equal(strides, layout.strides)) {
    fill_bytes(address_of(fill.buffer), layout.bytes, fill.byte);
  } else {
    const size_t element = size_of(dispatch_.plan().buffers[fill.buffer].declared.dtype);
    fill_elements(address_of(fill.buffer), layout.shape, strides, element, fill.byte);
  }
  return absl::OkStatus();
}

Status HostDispatch::Run::run(const CheckedPlan::Read& read) {
  KILN_ASSIGN_OR_RETURN(const int64_t index, read.index.evaluate(symbols_));
  const int64_t length = layout_of(read.buffer).shape[0];
  if (index < 0 || index >= length) {
    return absl::OutOfRangeError(fmt::format("read of element {} of buffer {}, which has {}", index,
                                             dispatch_.plan().buffers[read.buffer].declared.name,
                                             length));
  }
  const auto* elements = reinterpret_cast<const int64_t*>(address_of(read.buffer));
  symbols_[read.symbol] = elements[index * strides_of(read.buffer)[0]];
  return absl::OkStatus();
}

Status HostDispatch::Run::run(const CheckedPlan::Scan& scan) {
  auto* elements = reinterpret_cast<int64_t*>(address_of(scan.buffer));
  const int64_t length = layout_of(scan.buffer).shape[0];
  const int64_t stride = strides_of(scan.buffer)[0];
  return exclusive_sum(elements, length, stride,
                       dispatch_.plan().buffers[scan.buffer].declared.name);
}

}  // namespace kiln::runtime
