#include "core/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

namespace kiln {
namespace {

[[noreturn]] void misuse(std::string_view field, std::string_view fault) {
  std::fprintf(stderr, "problem field %.*s: %.*s\n", int(field.size()), field.data(),
               int(fault.size()), fault.data());
  std::abort();
}

// Levenshtein distance, for "did you mean".
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

Status unknown_field(const Schema& schema, std::string_view name, std::string_view value) {
  std::string_view nearest;
  size_t best = 4;
  if (name.size() <= 64) {
    for (const Field& field : schema.fields()) {
      if (const size_t d = edit_distance(name, field.name); d < best) {
        best = d;
        nearest = field.name;
      }
    }
  }
  std::string expected = "a field of " + schema.family();
  if (!nearest.empty()) {
    expected += fmt::format("; did you mean {}?", nearest);
  } else {
    expected += " (";
    const char* separator = "";
    for (const Field& field : schema.fields()) {
      expected += separator + field.name;
      separator = ", ";
    }
    expected += ")";
  }
  return invalid_field(name, value, expected);
}

// Collects values by field; `read` turns one given value into a checked Value.
template <class Given, class Read, class Text>
StatusOr<std::vector<Value>> collect(const Schema& schema,
                                     const std::vector<std::pair<std::string, Given>>& fields,
                                     Read read, Text text) {
  std::vector<std::optional<Value>> values(schema.fields().size());
  for (const auto& [name, given] : fields) {
    const std::optional<size_t> index = schema.find(name);
    if (!index) return unknown_field(schema, name, text(given));
    if (values[*index]) {
      return invalid_field(name, text(given),
                           fmt::format("field {} only once", schema.fields()[*index].name));
    }
    KILN_ASSIGN_OR_RETURN(values[*index], read(*index, given));
  }
  std::vector<Value> complete;
  complete.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const Field& field = schema.fields()[i];
    if (values[i]) {
      complete.push_back(*std::move(values[i]));
    } else if (field.default_value) {
      KILN_ASSIGN_OR_RETURN(Value value, schema.check(i, *field.default_value));
      complete.push_back(std::move(value));
    } else {
      return invalid_field(field.name, "(missing)", schema.expectation(i));
    }
  }
  return complete;
}

}  // namespace

StatusOr<Problem> Problem::make(const Schema& schema,
                                const std::vector<std::pair<std::string, Value>>& fields) {
  KILN_ASSIGN_OR_RETURN(
      auto values,
      collect(
          schema, fields, [&](size_t i, const Value& value) { return schema.check(i, value); },
          [](const Value& value) { return to_text(value); }));
  return Problem(schema, std::move(values));
}

StatusOr<Problem> Problem::parse(const Schema& schema,
                                 const std::vector<std::pair<std::string, std::string>>& fields) {
  KILN_ASSIGN_OR_RETURN(
      auto values,
      collect(
          schema, fields, [&](size_t i, const std::string& text) { return schema.parse(i, text); },
          [](const std::string& text) { return text; }));
  return Problem(schema, std::move(values));
}

Problem::Problem(const Schema& schema, std::vector<Value> values)
    : schema_(&schema), values_(std::move(values)) {
  for (size_t i = 0; i < values_.size(); ++i) {
    const Field& field = schema.fields()[i];
    if (field.same_as.empty() || values_[i] != values_[*schema.find(field.same_as)]) continue;
    values_[i] = *field.default_value;
  }
}

const Value& Problem::value(std::string_view name) const {
  const std::optional<size_t> index = schema_->find(name);
  if (!index) misuse(name, "unknown");
  const Field& field = schema_->fields()[*index];
  const bool another = !field.same_as.empty() && values_[*index] == *field.default_value;
  return values_[another ? *schema_->find(field.same_as) : *index];
}

int64_t Problem::integer(std::string_view field) const {
  const auto* v = std::get_if<int64_t>(&value(field));
  if (v == nullptr) misuse(field, "no integer");
  return *v;
}

double Problem::real(std::string_view field) const {
  const auto* v = std::get_if<double>(&value(field));
  if (v == nullptr) misuse(field, "no real");
  return *v;
}

bool Problem::boolean(std::string_view field) const {
  const auto* v = std::get_if<bool>(&value(field));
  if (v == nullptr) misuse(field, "no boolean");
  return *v;
}

const std::string& Problem::choice(std::string_view field) const {
  const auto* v = std::get_if<std::string>(&value(field));
  if (v == nullptr) misuse(field, "no choice");
  return *v;
}

Dtype Problem::dtype(std::string_view field) const {
  const std::optional<Dtype> dtype = parse_dtype(choice(field));
  if (!dtype) misuse(field, "no dtype");
  return *dtype;
}

Problem Problem::with(std::initializer_list<std::pair<std::string_view, Value>> changes) const {
  std::vector<Value> values = values_;
  for (const auto& [name, value] : changes) {
    const std::optional<size_t> index = schema_->find(name);
    if (!index) misuse(name, "unknown");
    StatusOr<Value> checked = schema_->check(*index, value);
    if (!checked.ok()) misuse(name, std::string(checked.status().message()));
    values[*index] = *std::move(checked);
  }
  return Problem(*schema_, std::move(values));
}

std::string Problem::text(bool all) const {
  std::string text = family();
  for (size_t i = 0; i < values_.size(); ++i) {
    const Field& field = schema_->fields()[i];
    if (!all && field.default_value) {
      const StatusOr<Value> fallback = schema_->check(i, *field.default_value);
      if (fallback.ok() && *fallback == values_[i]) continue;
    }
    text += fmt::format(" {}={}", field.name, to_text(values_[i]));
  }
  return text;
}

std::vector<int64_t> Problem::sizes() const {
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < values_.size(); ++i) {
    if (schema_->fields()[i].field_class == FieldClass::kSized) {
      sizes.push_back(std::get<int64_t>(values_[i]));
    }
  }
  return sizes;
}

std::vector<double> Problem::scalars() const {
  std::vector<double> scalars;
  for (size_t i = 0; i < values_.size(); ++i) {
    if (schema_->fields()[i].field_class == FieldClass::kScalar) {
      scalars.push_back(std::get<double>(values_[i]));
    }
  }
  return scalars;
}

}  // namespace kiln
