// A matrix product with its fields by name.

#pragma once

#include <cstdint>

#include "core/problem.h"
#include "core/schema.h"
#include "templates/tile/activation.h"

namespace kiln::gemm {

const Schema& gemm_schema();

enum class Bias { kNone, kRows, kColumns };

struct GemmProblem {
  int64_t batch, m, n, k;
  bool transpose_a, transpose_b;
  Bias bias;
  tile::Activation activation;
  bool residual;
  Dtype dtype;
  double alpha, beta;

  explicit GemmProblem(const Problem& problem);
};

}  // namespace kiln::gemm
