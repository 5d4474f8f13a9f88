// The search space of attention_forward on GPUs and the config that needs no search.

#pragma once

#include "core/space.h"
#include "core/target.h"
#include "templates/attention_forward/problem.h"

namespace kiln::attention_forward {

Space gpu_space(const AttentionProblem& problem, const Target& target);
Config gpu_default(const AttentionProblem& problem, const Target& target);

}  // namespace kiln::attention_forward
