#include "runtime/launch_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "runtime/buffer_layout.h"

namespace kiln::runtime {

Status check_count(std::string_view field, size_t count, size_t expected) {
  if (count == expected) return absl::OkStatus();
  return invalid_field(field, fmt::format("{} values", count), fmt::format("{} values", expected));
}

Status check_symbols(std::span<const Symbol> symbols, std::span<const int64_t> values) {
  KILN_RETURN_IF_ERROR(check_count("symbols", values.size(), symbols.size()));
  for (size_t i = 0; i < values.size(); ++i) {
    const Symbol& symbol = symbols[i];
    if (values[i] >= symbol.minimum && values[i] <= symbol.maximum) continue;
    return invalid_field(
        symbol.name, fmt::format("{}", values[i]),
        fmt::format("a value from {} to {}, as the plan holds for", symbol.minimum, symbol.maximum),
        absl::StatusCode::kOutOfRange);
  }
  return absl::OkStatus();
}

Status check_tensor(const HostTensor& expected, const Buffer& declared, const Tensor& tensor) {
  const std::span<const int64_t> strides(tensor.strides ? tensor.strides : expected.strides.data(),
                                         expected.shape.size());
  const size_t element = size_of(declared.dtype);
  const std::optional<int64_t> extent = extent_bytes(expected.shape, strides, element);
  if (!extent) {
    return invalid_field(declared.name, "its strides", "an extent below 2^63 bytes");
  }
  if (!tensor.data) {
    if (declared.optional || *extent == 0) return absl::OkStatus();
    return invalid_field(declared.name, "absent", "an address");
  }
  const int64_t alignment = std::max<int64_t>(declared.alignment, int64_t(element));
  if (reinterpret_cast<uintptr_t>(tensor.data) % uintptr_t(alignment) != 0) {
    return invalid_field(declared.name, fmt::format("address 0x{:x}", uintptr_t(tensor.data)),
                         fmt::format("an address divisible by {}", alignment));
  }
  const int unit = declared.unit_stride_axis;
  // The stride of an axis with at most one element is never used.
  if (unit >= 0 && strides[size_t(unit)] != 1 && expected.shape[size_t(unit)] > 1) {
    return invalid_field(declared.name,
                         fmt::format("stride {} of axis {}", strides[size_t(unit)], unit),
                         "stride 1, which the kernel was compiled for");
  }
  return absl::OkStatus();
}

Status check_workspace(const void* workspace, int64_t bytes) {
  if (bytes == 0 ||
      (workspace && reinterpret_cast<uintptr_t>(workspace) % kWorkspaceAlignment == 0)) {
    return absl::OkStatus();
  }
  return invalid_field("workspace", fmt::format("address 0x{:x}", uintptr_t(workspace)),
                       fmt::format("an address divisible by {}", kWorkspaceAlignment));
}

}  // namespace kiln::runtime
