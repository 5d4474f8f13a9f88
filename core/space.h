// A search space: parameters with values, and constraints that prune their product.
//
// Values are integers; a parameter may give its values labels ("rows", "columns"). A Config is one
// point: a value for each parameter in order. Enumeration assigns parameters in order and tests a
// constraint as soon as its last parameter is assigned, so the whole product is never visited.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/status.h"

namespace kiln {

struct Parameter {
  std::string name;
  std::string documentation = {};        // what it changes, in one line
  std::vector<int64_t> values;           // ascending, at least one
  std::vector<std::string> labels = {};  // empty, or one for each value
};

class Space;

// One point of a space.
class Config {
 public:
  Config() = default;
  explicit Config(std::vector<std::pair<std::string, int64_t>> values)
      : values_(std::move(values)) {}

  int64_t at(std::string_view parameter) const;  // aborts when there is no such parameter
  std::optional<int64_t> find(std::string_view parameter) const;
  const std::vector<std::pair<std::string, int64_t>>& values() const { return values_; }
  std::string text() const;  // "block_m=64 block_n=128 lanes=0"
  static StatusOr<Config> parse(std::string_view text);
  bool operator==(const Config&) const = default;

 private:
  std::vector<std::pair<std::string, int64_t>> values_;
};

struct Constraint {
  std::string text;                     // as published: "block_m % (lanes * register_rows) == 0"
  std::vector<std::string> parameters;  // those it looks at
  std::function<bool(const Config&)> holds;  // sees a Config with at least those parameters
};

class Space {
 public:
  // `version` changes when values or meaning change, so that stored configs are not misread.
  Space(int version, std::vector<Parameter> parameters, std::vector<Constraint> constraints);

  int version() const { return version_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  const std::vector<Constraint>& constraints() const { return constraints_; }

  // The admissible points as level indices (one row of parameters().size() each), in lexicographic
  // order; stops with RESOURCE_EXHAUSTED beyond `limit` points.
  StatusOr<std::vector<std::vector<uint16_t>>> enumerate(size_t limit = 1'000'000) const;

  Config config(std::span<const uint16_t> levels) const;
  std::optional<std::vector<uint16_t>> levels(const Config& config) const;
  // OK, or INVALID_ARGUMENT naming the parameter or the constraint that fails.
  Status check(const Config& config) const;
  // Text with labels in place of values.
  std::string text(const Config& config) const;

 private:
  int version_;
  std::vector<Parameter> parameters_;
  std::vector<Constraint> constraints_;
};

}  // namespace kiln
