#include "runtime/emulator/global_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace kiln::runtime::emulator {

GlobalMemory::GlobalMemory(std::vector<GlobalTensor> tensors) {
  for (GlobalTensor& tensor : tensors) {
    if (!tensor.first) continue;
    int64_t last = 0, elements = 1;
    for (size_t i = 0; i < tensor.shape.size(); ++i) {
      last += (tensor.shape[i] - 1) * tensor.strides[i];
      elements *= tensor.shape[i];
    }
    if (elements == 0) continue;
    Region region{
        .tensor = std::move(tensor), .bytes = 0, .dense = last + 1 == elements, .by_stride = {}};
    region.bytes = (last + 1) * region.tensor.element_bytes;
    region.by_stride.resize(region.tensor.shape.size());
    std::iota(region.by_stride.begin(), region.by_stride.end(), size_t{0});
    std::ranges::sort(region.by_stride, [&](size_t a, size_t b) {
      return region.tensor.strides[a] > region.tensor.strides[b];
    });
    regions_.push_back(std::move(region));
  }
}

// Axes of one element stand at index 0, whatever their stride.
bool GlobalMemory::has_element(const Region& region, int64_t offset) {
  int64_t rest = offset;
  for (size_t axis : region.by_stride) {
    const int64_t stride = region.tensor.strides[axis], extent = region.tensor.shape[axis];
    if (extent == 1 || stride == 0) continue;
    const int64_t index = rest / stride;
    if (index >= extent) return false;
    rest -= index * stride;
  }
  return rest == 0;
}

GlobalMemory::Verdict GlobalMemory::check(const void* address, int64_t bytes, bool write) const {
  const char* p = static_cast<const char*>(address);
  const Region* near = nullptr;
  for (const Region& region : regions_) {
    const GlobalTensor& t = region.tensor;
    const int64_t offset = int64_t(uintptr_t(p) - uintptr_t(t.first));
    constexpr int64_t kNear = 1 << 16;
    if (offset > -kNear && offset < region.bytes + kNear && !near) near = &region;
    if (offset < 0 || offset + bytes > region.bytes) continue;
    near = &region;
    bool inside = true;
    for (int64_t b = 0; b < bytes && inside && !region.dense; b += t.element_bytes)
      inside = has_element(region, (offset + b) / t.element_bytes);
    if (!inside) continue;
    if (write && !t.writable) return {Verdict::Kind::kReadOnly, t.name};
    return {};
  }
  if (!near) return {Verdict::Kind::kOutside, fmt::format("far from every argument")};
  return {Verdict::Kind::kOutside,
          fmt::format("{} bytes from the first element of {}, which ends at {}",
                      int64_t(uintptr_t(p) - uintptr_t(near->tensor.first)), near->tensor.name,
                      near->bytes)};
}

}  // namespace kiln::runtime::emulator
