// What may be chosen about a depthwise variant on a GPU, and what is good untuned. A warp is what a
// vector is on the host: its lanes hold channels, or columns.

#pragma once

#include "core/space.h"
#include "core/target.h"
#include "depthwise_conv2d_forward/problem.h"

namespace kiln::depthwise_conv2d_forward {

Space gpu_space(const DepthwiseProblem& problem, const Target& target);
Config gpu_default(const DepthwiseProblem& problem, const Target& target);

}  // namespace kiln::depthwise_conv2d_forward
