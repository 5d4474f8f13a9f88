#include "runtime/exclusive_sum.h"

#include <fmt/format.h>

namespace kiln::runtime {

Status exclusive_sum(int64_t* elements, int64_t length, int64_t stride, std::string_view buffer) {
  int64_t sum = 0;
  for (int64_t i = 0; i < length; ++i) {
    const int64_t before = sum;
    int64_t& element = elements[i * stride];
    if (i + 1 < length && __builtin_add_overflow(sum, element, &sum)) {
      return absl::OutOfRangeError(
          fmt::format("the prefix sum of buffer {} overflows", printable(buffer)));
    }
    element = before;
  }
  return absl::OkStatus();
}

}  // namespace kiln::runtime
