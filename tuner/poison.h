// Patterns that show which elements of an output were never written: signalling NaNs of the dtype,
// which no arithmetic gives. Integer types have no NaN; there a pattern that results hardly hold.

#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "core/tensor.h"

namespace kiln::tuner {

void fill_poison(Dtype dtype, void* data, int64_t bytes);
bool is_poison(const HostTensor& tensor, int64_t offset);

// Index of the first NaN (integer types: of the first poison); `elements` when there is none.
int64_t find_nan(Dtype dtype, const void* data, int64_t elements);

}  // namespace kiln::tuner
