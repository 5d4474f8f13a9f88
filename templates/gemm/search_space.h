// What may be chosen for a matrix product on a target, and a good choice without tuning.

#pragma once

#include "core/space.h"
#include "core/target.h"
#include "templates/gemm/problem.h"

namespace kiln::gemm {

// Values of the parameters `operands`, `order` and `stores`.
inline constexpr int64_t kInPlace = 0, kStaged = 1;
inline constexpr int64_t kRowsFirst = 0, kColumnsFirst = 1;
inline constexpr int64_t kCached = 0, kStreamed = 1;

Space gemm_space(const GemmProblem& problem, const Target& target);
Config gemm_default(const GemmProblem& problem, const Target& target);

// Blocks along the rows and the columns of d.
int64_t tiles_m(const GemmProblem& problem, const Config& config);
int64_t tiles_n(const GemmProblem& problem, const Config& config);
// Parts into which k is cut: 1 where configs do not say.
int64_t k_splits(const Config& config);

// Of every target's space.
Parameter order_parameter();

// Vectors of columns in a register block of the config's rows: as many as registers allow.
int64_t register_vectors(const Config& config, const Target& target);

// Rows of a tile whose part of `a` goes through the second-level cache at a time.
int64_t left_rows(const Config& config, const Target& target);

}  // namespace kiln::gemm
