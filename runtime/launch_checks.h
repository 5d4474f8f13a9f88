// What every kind of launch checks of its arguments, whoever runs it.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/plan.h"
#include "core/status.h"
#include "core/tensor.h"
#include "runtime/kernel.h"

namespace kiln::runtime {

Status check_count(std::string_view field, size_t count, size_t expected);
// OUT_OF_RANGE names a symbol for whose value the plan does not hold.
Status check_symbols(std::span<const Symbol> symbols, std::span<const int64_t> values);
// Presence, alignment and unit stride of one tensor; `expected` gives shape and dense strides.
Status check_tensor(const HostTensor& expected, const Buffer& declared, const Tensor& tensor);
Status check_workspace(const void* workspace, int64_t bytes);

}  // namespace kiln::runtime
