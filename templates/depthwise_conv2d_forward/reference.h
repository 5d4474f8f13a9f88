// The convolution in double precision, an output row at a time, with the error that f32 may make.

#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/family.h"
#include "depthwise_conv2d_forward/problem.h"

namespace kiln::depthwise_conv2d_forward {

// Unit: row i of plane (n, c), unit = (n channels + c) out_h + i.
void reference_row(const DepthwiseProblem& problem, std::span<const HostTensor> tensors,
                   int64_t unit, ReferenceSink& sink);

std::string depthwise_tolerance();

}  // namespace kiln::depthwise_conv2d_forward
