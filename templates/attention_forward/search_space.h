// The search space of attention_forward and the config that needs no search.

#pragma once

#include "core/space.h"
#include "core/target.h"
#include "templates/attention_forward/problem.h"

namespace kiln::attention_forward {

// Values of the parameter "lanes", of "operands": in the order of tile/schedule.h.
inline constexpr int64_t kLanesRows = 0, kLanesColumns = 1;
inline constexpr int64_t kOperandsInPlace = 0, kOperandsStaged = 1;

Space attention_space(const AttentionProblem& problem, const Target& target);
// Columns of the register block that go with the config's register_rows.
int64_t register_columns(const Config& config, const Target& target);
Config attention_default(const AttentionProblem& problem, const Target& target);

}  // namespace kiln::attention_forward
