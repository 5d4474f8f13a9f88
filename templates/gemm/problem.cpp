#include "templates/gemm/problem.h"

#include "templates/activation.h"
#include "templates/fields.h"

namespace kiln::gemm {

namespace {

constexpr int64_t kLongest = 1 << 30;

Field flag(std::string name, std::string documentation) {
  return {.name = std::move(name),
          .type = FieldType::kBoolean,
          .documentation = std::move(documentation),
          .default_value = false};
}

Field factor(std::string name, std::string documentation) {
  return {.name = std::move(name),
          .field_class = FieldClass::kScalar,
          .type = FieldType::kReal,
          .documentation = std::move(documentation),
          .default_value = 1.0,
          .minimum = -1e6,
          .maximum = 1e6};
}

std::vector<Field> fields() {
  // Few rows are a problem of their own; layers' widths are multiples of 64 and worth a kernel
  // each.
  const Bucketing rows{.exact_up_to = 16, .per_octave = 8};
  const Bucketing widths{.exact_up_to = 128, .per_octave = 16};
  Field batch =
      size_field("batch", "independent products", kLongest, {.exact_up_to = 4, .per_octave = 1});
  batch.default_value = int64_t{1};
  return {
      batch,
      size_field("m", "rows of a and d", kLongest, rows, {"M"}),
      size_field("n", "columns of b and d", kLongest, widths, {"N"}),
      size_field("k", "columns of a, rows of b", kLongest, widths, {"K"}),
      flag("transpose_a", "a lies in memory as [batch, k, m]: m has stride 1 instead of k"),
      flag("transpose_b", "b lies in memory as [batch, n, k]: k has stride 1 instead of n"),
      dtype_field("element type of all tensors; sums are in f32"),
      {.name = "bias",
       .type = FieldType::kChoice,
       .documentation = "what is added to the product: nothing, a value for each row [m], or one "
                        "for each column [n]",
       .default_value = std::string("none"),
       .choices = {"none", "rows", "columns"}},
      activation_field("function of the biased product"),
      flag("residual", "whether beta c is added in the end"),
      factor("alpha", "factor of a b"),
      factor("beta", "factor of c"),
  };
}

}  // namespace

const Schema& gemm_schema() {
  static const Schema schema(
      "gemm", 1,
      "d = activation(alpha a b + bias) + beta c for every batch. Tensors: a [batch, m, k], b "
      "[batch, k, n], c and d [batch, m, n], bias [m] or [n]; c may be d.",
      fields(), {"name", "source"});
  return schema;
}

GemmProblem::GemmProblem(const Problem& problem)
    : batch(problem.integer("batch")),
      m(problem.integer("m")),
      n(problem.integer("n")),
      k(problem.integer("k")),
      transpose_a(problem.boolean("transpose_a")),
      transpose_b(problem.boolean("transpose_b")),
      bias(problem.choice("bias") == "none"   ? Bias::kNone
           : problem.choice("bias") == "rows" ? Bias::kRows
                                              : Bias::kColumns),
      activation(activation_of(problem)),
      residual(problem.boolean("residual")),
      dtype(problem.dtype()),
      alpha(problem.real("alpha")),
      beta(problem.real("beta")) {}

}  // namespace kiln::gemm
