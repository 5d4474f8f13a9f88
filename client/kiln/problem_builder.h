// A problem's fields by name, before they are checked against the family's published schema.
//
//     ProblemBuilder("attention_forward").set("batch", 1).set("dtype", "bf16").set("causal", true)
//
// Names may be aliases, order is free, defaults may be left out. Client::prepare() checks.

#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/value.h"

namespace kiln {

class ProblemBuilder {
 public:
  explicit ProblemBuilder(std::string family) : family_(std::move(family)) {}

  template <std::integral Integer>
  ProblemBuilder& set(std::string_view field, Integer value) {
    return add(field, int64_t(value));
  }
  ProblemBuilder& set(std::string_view field, bool value) { return add(field, value); }
  ProblemBuilder& set(std::string_view field, double value) { return add(field, value); }
  // A choice; or text of any field's type, read by that type.
  ProblemBuilder& set(std::string_view field, std::string_view value) {
    return add(field, std::string(value));
  }
  ProblemBuilder& set(std::string_view field, const char* value) {
    return add(field, std::string(value));
  }

  const std::string& family() const { return family_; }
  const std::vector<std::pair<std::string, Value>>& fields() const { return fields_; }

 private:
  ProblemBuilder& add(std::string_view field, Value value) {
    fields_.emplace_back(std::string(field), std::move(value));
    return *this;
  }

  std::string family_;
  std::vector<std::pair<std::string, Value>> fields_;
};

}  // namespace kiln
