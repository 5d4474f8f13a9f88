// An attention problem with its fields by name, and the geometry that space, plan and reference
// share.

#pragma once

#include <cstdint>

#include "core/problem.h"
#include "core/schema.h"

namespace kiln::attention_forward {

const Schema& attention_schema();

// How the axes [batch, seq, heads, head_dim] of a dense tensor lie in memory.
enum class Layout { kBhsd, kBshd };

struct AttentionProblem {
  int64_t batch, heads_q, heads_kv, seq_q, seq_kv;
  int64_t head_dim;
  int64_t window_left, window_right;  // -1: unbounded
  bool causal;
  Dtype dtype;
  Layout layout;
  double softcap;  // 0: none
  double scale;

  explicit AttentionProblem(const Problem& problem);

  int64_t group() const { return heads_q / heads_kv; }
  // Rows of a tile's source: tokens, or tokens times the query heads that share a key head.
  int64_t rows(bool pack_heads) const { return pack_heads ? seq_q * group() : seq_q; }

  // Keys that query i meets are first_key(i) .. last_key(i); none if last_key < first_key.
  int64_t first_key(int64_t i) const;
  int64_t last_key(int64_t i) const;
  double visible_pairs() const;  // of one head
};

}  // namespace kiln::attention_forward
