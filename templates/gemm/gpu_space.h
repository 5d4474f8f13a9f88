// What may be chosen for a matrix product on a GPU, and a good choice without tuning.

#pragma once

#include "core/space.h"
#include "core/target.h"
#include "templates/gemm/problem.h"
#include "templates/schedules/contraction.h"

namespace kiln::gemm {

Space gpu_space(const GemmProblem& problem, const Target& target);
Config gpu_default(const GemmProblem& problem, const Target& target);

schedules::Operands operands_of(const GemmProblem& problem);

}  // namespace kiln::gemm
