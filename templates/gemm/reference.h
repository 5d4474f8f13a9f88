// The product in double precision, with plain loops.

#pragma once

#include <span>
#include <string>

#include "core/family.h"
#include "templates/gemm/problem.h"

namespace kiln::gemm {

// Columns of a row that one unit of the reference computes.
inline constexpr int64_t kUnitColumns = 64;

int64_t units(const GemmProblem& problem);
// The unit that holds element (i, j) of d[z].
int64_t unit_of(const GemmProblem& problem, int64_t z, int64_t i, int64_t j);

void reference_unit(const GemmProblem& problem, std::span<const HostTensor> tensors, int64_t unit,
                    ReferenceSink& sink);
std::string gemm_tolerance();

}  // namespace kiln::gemm
