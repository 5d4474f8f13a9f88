// The search space of attention_forward and the config that needs no search.

#pragma once

#include "core/space.h"
#include "core/target.h"
#include "templates/attention_forward/problem.h"

namespace kiln::attention_forward {

// Values of the parameter "lanes": in the order of tile/schedule.h.
inline constexpr int64_t kLanesRows = 0, kLanesColumns = 1;

Space attention_space(const AttentionProblem& problem, const Target& target);
// Whether products take keys and values where they lie, as far as their types allow: copying them
// next to each other first moves no problem by more than 1.5 %.
bool operands_in_place(const AttentionProblem& problem, const Config& config, const Target& target);
// Columns of the register block that go with the config's register_rows.
int64_t register_columns(const Config& config, const Target& target);
Config attention_default(const AttentionProblem& problem, const Target& target);

}  // namespace kiln::attention_forward
