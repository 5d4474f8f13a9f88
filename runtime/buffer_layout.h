// Shapes, strides and places of a plan's buffers once its symbols have values.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/status.h"
#include "runtime/checked_plan.h"

namespace kiln::runtime {

inline constexpr int64_t kWorkspaceAlignment = 64;

struct BufferLayout {
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // dense in the buffer's order, in elements
  int64_t bytes = 0;
  int64_t offset = 0;  // temporaries: in the arena; per-worker buffers: in a worker's part
};

struct Layout {
  std::vector<BufferLayout> buffers;  // one for each of the plan's
  int64_t arena_bytes = 0;            // for all temporaries; those never alive together share
  int64_t worker_bytes = 0;           // for each worker's own buffers
};

// `symbols` holds the plan's own symbols. OUT_OF_RANGE names a buffer whose shape is negative or
// overflows; RESOURCE_EXHAUSTED when the buffers of the plan exceed this machine's memory.
StatusOr<Layout> lay_out(const CheckedPlan& plan, std::span<const int64_t> symbols);

// Bytes from the lowest to behind the highest element of a tensor that lies at `strides`; 0 when it
// has no elements, nullopt on overflow.
std::optional<int64_t> extent_bytes(std::span<const int64_t> shape,
                                    std::span<const int64_t> strides, size_t element_bytes);

}  // namespace kiln::runtime
