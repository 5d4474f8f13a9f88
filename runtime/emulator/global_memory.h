// The global memory that a launch may touch: its argument tensors, element by element.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kiln::runtime::emulator {

struct GlobalTensor {
  std::string name;
  char* first = nullptr;
  int64_t element_bytes = 1;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // in elements, not negative
  bool writable = false;
};

// Immutable once made, so threads may share it.
class GlobalMemory {
 public:
  explicit GlobalMemory(std::vector<GlobalTensor> tensors);

  // Empty when every byte belongs to an element of one tensor; else what is wrong.
  struct Verdict {
    enum class Kind : uint8_t { kFine, kOutside, kReadOnly };
    Kind kind = Kind::kFine;
    std::string detail;
  };
  Verdict check(const void* address, int64_t bytes, bool write) const;

 private:
  struct Region {
    GlobalTensor tensor;
    int64_t bytes;                  // from the first to behind the last element
    bool dense;                     // no gaps
    std::vector<size_t> by_stride;  // axes by falling stride
  };
  static bool has_element(const Region& region, int64_t offset);

  std::vector<Region> regions_;
};

}  // namespace kiln::runtime::emulator
