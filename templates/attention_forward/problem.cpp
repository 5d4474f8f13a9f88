#include "templates/attention_forward/problem.h"

#include <algorithm>
#include <cmath>

#include "templates/fields.h"

namespace kiln::attention_forward {

namespace {

constexpr int64_t kMaxLength = 1 << 24;

Field window_field(std::string name, std::string documentation) {
  return {.name = std::move(name),
          .field_class = FieldClass::kSized,
          .type = FieldType::kInteger,
          .documentation = std::move(documentation),
          .default_value = int64_t{-1},
          .minimum = -1,
          .maximum = double(kMaxLength),
          .bucketing = {.exact_up_to = 0, .per_octave = 2}};
}

std::vector<Field> fields() {
  const Bucketing lengths{.exact_up_to = 64, .per_octave = 8};
  return {
      size_field("batch", "independent sequences", 1 << 16, {.exact_up_to = 4, .per_octave = 1}),
      size_field("heads_q", "query heads", 1 << 12, {.exact_up_to = 1 << 12}),
      size_field("heads_kv",
                 "key and value heads; divides heads_q, and consecutive query heads share one",
                 1 << 12, {.exact_up_to = 1 << 12}),
      size_field("seq_q", "queries a sequence", kMaxLength, lengths),
      size_field("seq_kv", "keys a sequence", kMaxLength, lengths),
      {.name = "head_dim",
       .documentation = "elements of a query, key and value",
       .minimum = 8,
       .maximum = 256,
       .multiple_of = 8},
      {.name = "causal",
       .type = FieldType::kBoolean,
       .documentation =
           "query i meets no key after i + seq_kv - seq_q (aligned to the last query and key)",
       .default_value = false},
      dtype_field("element type of Q, K, V and O; sums are in f32"),
      {.name = "layout",
       .type = FieldType::kChoice,
       .documentation = "order of the axes in memory: batch, heads, seq, head_dim, or batch, seq, "
                        "heads, head_dim",
       .default_value = std::string("bhsd"),
       .choices = {"bhsd", "bshd"}},
      window_field("window_left",
                   "query i meets no key before i + seq_kv - seq_q - window_left; -1: all"),
      window_field(
          "window_right",
          "query i meets no key after i + seq_kv - seq_q + window_right; -1: all, and all that "
          "causal = true admits"),
      {.name = "softcap",
       .type = FieldType::kReal,
       .documentation = "scores become softcap * tanh(score / softcap); 0: they stay",
       .default_value = 0.0,
       .minimum = 0,
       .maximum = 1e4},
      {.name = "softmax_scale",
       .field_class = FieldClass::kScalar,
       .type = FieldType::kReal,
       .documentation = "factor of Q K^T; 0: 1 / sqrt(head_dim)",
       .default_value = 0.0,
       .minimum = 0,
       .maximum = 1e4,
       .aliases = {"scale"}},
  };
}

}  // namespace

const Schema& attention_schema() {
  static const Schema schema(
      "attention_forward", 1,
      "O = softmax(mask(scale Q K^T)) V for every batch and head, optionally with the log-sum-exp "
      "of every row. Tensors: q, o [batch, seq_q, heads_q, head_dim], k, v [batch, seq_kv, "
      "heads_kv, head_dim], lse [batch, heads_q, seq_q] in f32.",
      fields(), {"name", "source"});
  return schema;
}

AttentionProblem::AttentionProblem(const Problem& problem)
    : batch(problem.integer("batch")),
      heads_q(problem.integer("heads_q")),
      heads_kv(problem.integer("heads_kv")),
      seq_q(problem.integer("seq_q")),
      seq_kv(problem.integer("seq_kv")),
      head_dim(problem.integer("head_dim")),
      window_left(problem.integer("window_left")),
      window_right(problem.integer("window_right")),
      causal(problem.boolean("causal")),
      dtype(problem.dtype()),
      layout(problem.choice("layout") == "bshd" ? Layout::kBshd : Layout::kBhsd),
      softcap(problem.real("softcap")),
      scale(problem.real("softmax_scale")) {
  if (scale == 0) scale = 1 / std::sqrt(double(head_dim));
  if (causal) window_right = 0;
}

int64_t AttentionProblem::first_key(int64_t i) const {
  return window_left < 0 ? 0 : std::max<int64_t>(0, i + seq_kv - seq_q - window_left);
}

int64_t AttentionProblem::last_key(int64_t i) const {
  if (window_right < 0) return seq_kv - 1;
  return std::min(seq_kv - 1, i + seq_kv - seq_q + window_right);
}

double AttentionProblem::visible_pairs() const {
  if (window_left < 0 && window_right < 0) return double(seq_q) * double(seq_kv);
  if (causal && window_left < 0 && seq_q == seq_kv) return double(seq_q) * double(seq_q) / 2;
  double pairs = 0;
  for (int64_t i = 0; i < seq_q; ++i) {
    pairs += double(std::max<int64_t>(0, last_key(i) - first_key(i) + 1));
  }
  return pairs;
}

}  // namespace kiln::attention_forward
