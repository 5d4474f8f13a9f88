// The search space of attention_forward and the config that needs no search.

#pragma once

#include "templates/attention_forward/problem.h"
#include "core/space.h"
#include "core/target.h"

namespace kiln::attention_forward {

// Values of the parameter "lanes", of "operands": in the order of tile/schedule.h.
inline constexpr int64_t kLanesRows = 0, kLanesColumns = 1;
inline constexpr int64_t kOperandsInPlace = 0, kOperandsStaged = 1;

Space attention_space(const AttentionProblem& problem, const Target& target);
Config attention_default(const AttentionProblem& problem, const Target& target);

}  // namespace kiln::attention_forward
