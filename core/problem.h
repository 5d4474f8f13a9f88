// A problem: what to compute. One value for every field of its family's schema, defaults filled in.
//
//     auto problem = Problem::parse(schema, "batch=1 heads_q=32 … causal=true dtype=bf16");
//     int64_t tokens = problem->integer("seq_q");
//
// A field that is the same as another (Field::same_as) has one form, whichever way it was given:
// its default. So equal problems have equal values, texts and keys.
//
// A Problem is a value; it refers to its schema, which outlives it (schemas live in the registry).

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/dtype.h"
#include "core/schema.h"
#include "core/status.h"
#include "core/value.h"

namespace kiln {

class Problem {
 public:
  // Fields may come in any order, under their names or aliases. INVALID_ARGUMENT names an unknown
  // field (with the nearest known name), one given twice, a missing one or a value out of range.
  // Contradictions between fields are the family's to find (Family::check).
  static StatusOr<Problem> make(const Schema& schema,
                                const std::vector<std::pair<std::string, Value>>& fields);
  static StatusOr<Problem> parse(const Schema& schema,
                                 const std::vector<std::pair<std::string, std::string>>& fields);

  const Schema& schema() const { return *schema_; }
  const std::string& family() const { return schema_->family(); }
  const std::vector<Value>& values() const { return values_; }  // in schema order

  // By field name; a default that stands for another field gives that one's value. The field must
  // exist and have that type (programming error otherwise: abort).
  int64_t integer(std::string_view field) const;
  double real(std::string_view field) const;
  bool boolean(std::string_view field) const;
  const std::string& choice(std::string_view field) const;
  Dtype dtype(std::string_view field = "dtype") const;

  // A copy with some fields replaced (values must be valid: abort otherwise). Fields that are the
  // same as a replaced one follow it.
  Problem with(std::initializer_list<std::pair<std::string_view, Value>> changes) const;

  // "attention_forward batch=1 heads_q=32 …"; fields equal to their default are left out unless
  // `all`.
  std::string text(bool all = false) const;

  // Values of the sized fields and of the scalar fields, in schema order, as plans want them.
  std::vector<int64_t> sizes() const;
  std::vector<double> scalars() const;

  friend bool operator==(const Problem& a, const Problem& b) {
    return a.schema_ == b.schema_ && a.values_ == b.values_;
  }

 private:
  Problem(const Schema& schema, std::vector<Value> values);
  const Value& value(std::string_view field) const;

  const Schema* schema_;
  std::vector<Value> values_;
};

}  // namespace kiln
