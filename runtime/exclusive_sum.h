// The prefix sum of a plan's Scan steps.

#pragma once

#include <cstdint>
#include <string_view>

#include "core/status.h"

namespace kiln::runtime {

// Element i, `stride` elements apart, becomes the sum of those before it; what the last element
// held is not part of any. OUT_OF_RANGE names the buffer whose sum overflows.
Status exclusive_sum(int64_t* elements, int64_t length, int64_t stride, std::string_view buffer);

}  // namespace kiln::runtime
