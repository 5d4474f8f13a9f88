// How much memory a problem's buffers take.

#pragma once

#include <cstdint>

#include "core/plan.h"
#include "core/problem.h"
#include "core/status.h"
#include "core/target.h"

namespace kiln::engine {

// Bytes of all buffers of the plan for this problem, temporaries for each worker included.
// OUT_OF_RANGE when a size or the sum overflows.
StatusOr<int64_t> buffer_bytes(const Plan& plan, const Problem& problem, int workers);

// RESOURCE_EXHAUSTED naming the largest sized field when the buffers exceed the device's memory.
Status check_memory(const Plan& plan, const Problem& problem, const Target& target);

// Whether the plan holds for the problem's sizes.
bool covers(const Plan& plan, const Problem& problem);

}  // namespace kiln::engine
