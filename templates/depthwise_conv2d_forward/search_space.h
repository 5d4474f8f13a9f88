// What may be chosen about a depthwise variant, and what is good untuned.

#pragma once

#include "core/space.h"
#include "core/target.h"
#include "depthwise_conv2d_forward/problem.h"

namespace kiln::depthwise_conv2d_forward {

// Bytes of scratch that a block takes.
int64_t scratch_bytes(const DepthwiseProblem& problem, const Config& config, const Target& target);

Space depthwise_space(const DepthwiseProblem& problem, const Target& target);
Config depthwise_default(const DepthwiseProblem& problem, const Target& target);

}  // namespace kiln::depthwise_conv2d_forward
