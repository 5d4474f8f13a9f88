#include "runtime/buffer_layout.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace kiln::runtime {
namespace {

// Far above any machine's memory, far below overflow when added up.
constexpr int64_t kMaxBufferBytes = int64_t{1} << 47;

int64_t aligned(int64_t bytes) {
  return (bytes + kWorkspaceAlignment - 1) / kWorkspaceAlignment * kWorkspaceAlignment;
}

StatusOr<BufferLayout> lay_out_buffer(const CheckedPlan::Buffer& buffer,
                                      std::span<const int64_t> symbols) {
  auto fault = [&](std::string_view what) {
    return absl::OutOfRangeError(fmt::format("buffer {}: {}", buffer.declared.name, what));
  };
  BufferLayout layout;
  for (const Expression& extent : buffer.shape) {
    StatusOr<int64_t> value = extent.evaluate(symbols);
    if (!value.ok()) return fault(std::string(value.status().message()));
    if (*value < 0) return fault(fmt::format("an axis of length {}", *value));
    layout.shape.push_back(*value);
  }
  layout.strides.assign(layout.shape.size(), 0);
  layout.bytes = int64_t(size_of(buffer.declared.dtype));
  int64_t stride = 1;
  for (size_t i = buffer.order.size(); i-- > 0;) {
    const size_t axis = size_t(buffer.order[i]);
    layout.strides[axis] = stride;
    // An empty axis makes the tensor empty but leaves the other strides meaningful.
    if (__builtin_mul_overflow(stride, std::max<int64_t>(layout.shape[axis], 1), &stride) ||
        __builtin_mul_overflow(layout.bytes, layout.shape[axis], &layout.bytes) ||
        stride > kMaxBufferBytes || layout.bytes > kMaxBufferBytes) {
      return fault("its size overflows");
    }
  }
  return layout;
}

// First fit, largest first: each temporary goes to the lowest place that is free during its life.
int64_t place_temporaries(const CheckedPlan& plan, std::vector<BufferLayout>& layouts) {
  std::vector<size_t> temporaries;
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    if (plan.buffers[i].declared.kind == Buffer::Kind::kTemporary && plan.buffers[i].used) {
      temporaries.push_back(i);
    }
  }
  std::ranges::sort(temporaries, {}, [&](size_t i) { return std::pair(-layouts[i].bytes, i); });
  int64_t end = 0;
  std::vector<size_t> placed;  // by rising offset
  for (size_t i : temporaries) {
    int64_t offset = 0;
    for (size_t other : placed) {
      const bool together = plan.buffers[i].first_step <= plan.buffers[other].last_step &&
                            plan.buffers[other].first_step <= plan.buffers[i].last_step;
      if (!together) continue;
      if (offset + aligned(layouts[i].bytes) <= layouts[other].offset) break;
      offset = std::max(offset, layouts[other].offset + aligned(layouts[other].bytes));
    }
    layouts[i].offset = offset;
    end = std::max(end, offset + aligned(layouts[i].bytes));
    placed.insert(std::ranges::upper_bound(placed, offset, {},
                                           [&](size_t other) { return layouts[other].offset; }),
                  i);
  }
  return end;
}

int64_t physical_memory() {
  return int64_t(sysconf(_SC_PHYS_PAGES)) * int64_t(sysconf(_SC_PAGESIZE));
}

}  // namespace

StatusOr<Layout> lay_out(const CheckedPlan& plan, std::span<const int64_t> symbols) {
  Layout layout;
  for (const CheckedPlan::Buffer& buffer : plan.buffers) {
    KILN_ASSIGN_OR_RETURN(BufferLayout placed, lay_out_buffer(buffer, symbols));
    if (buffer.declared.kind == Buffer::Kind::kPerWorker) {
      placed.offset = layout.worker_bytes;
      layout.worker_bytes += aligned(placed.bytes);
    }
    layout.buffers.push_back(std::move(placed));
  }
  layout.arena_bytes = place_temporaries(plan, layout.buffers);
  const int64_t memory = physical_memory();
  if (layout.arena_bytes > memory || layout.worker_bytes > memory) {
    return absl::ResourceExhaustedError(
        fmt::format("the plan wants {} bytes of workspace; this machine has {} bytes of memory",
                    std::max(layout.arena_bytes, layout.worker_bytes), memory));
  }
  return layout;
}

std::optional<int64_t> extent_bytes(std::span<const int64_t> shape,
                                    std::span<const int64_t> strides, size_t element_bytes) {
  int64_t extent = 1;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 0) return 0;
    if (strides[axis] == INT64_MIN) return std::nullopt;
    int64_t reach;
    if (__builtin_mul_overflow(std::abs(strides[axis]), shape[axis] - 1, &reach) ||
        __builtin_add_overflow(extent, reach, &extent)) {
      return std::nullopt;
    }
  }
  if (__builtin_mul_overflow(extent, int64_t(element_bytes), &extent)) return std::nullopt;
  return extent;
}

}  // namespace kiln::runtime
