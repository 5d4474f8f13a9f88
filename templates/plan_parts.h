// What the plans of all families are made of.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/plan.h"
#include "core/schema.h"

namespace kiln {

// A plan without buffers and steps: the schema's sized fields are its symbols, over all their
// range, its scalar fields the scalars.
Plan plan_of(const Schema& schema);

// An input or output aligned to its elements. `unit_stride_axis` must have stride 1; -1: none must.
Buffer argument(std::string name, Dtype dtype, std::vector<std::string> shape, Buffer::Kind kind,
                std::vector<int> order = {}, int unit_stride_axis = -1);
// A dense buffer that lives as long as a launch of the plan.
Buffer temporary(std::string name, Dtype dtype, std::vector<std::string> shape);

// The arguments of a launch in the order of a kernel's Args: tensors, sizes, scalars.
std::vector<Argument> arguments(const std::vector<std::string>& tensors,
                                const std::vector<std::string>& sizes,
                                const std::vector<std::string>& scalars = {});

// "ceil_div(size, unit)"
std::string blocks_of(const std::string& size, int64_t unit);

}  // namespace kiln
