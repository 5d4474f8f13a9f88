#include "core/space.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace kiln {
namespace {

[[noreturn]] void misuse(std::string_view subject, std::string_view fault) {
  std::fprintf(stderr, "space: %.*s: %.*s\n", int(subject.size()), subject.data(),
               int(fault.size()), fault.data());
  std::abort();
}

}  // namespace

std::optional<int64_t> Config::find(std::string_view parameter) const {
  for (const auto& [name, value] : values_) {
    if (name == parameter) return value;
  }
  return std::nullopt;
}

int64_t Config::at(std::string_view parameter) const {
  const std::optional<int64_t> value = find(parameter);
  if (!value) misuse(parameter, "no such parameter in this config");
  return *value;
}

std::string Config::text() const {
  return absl::StrJoin(values_, " ", [](std::string* out, const auto& entry) {
    *out += fmt::format("{}={}", entry.first, entry.second);
  });
}

StatusOr<Config> Config::parse(std::string_view text) {
  const std::vector<std::string> words = absl::StrSplit(std::string(text), ' ', absl::SkipEmpty());
  std::vector<std::pair<std::string, int64_t>> values;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    int64_t value = 0;
    const char* end = word.data() + word.size();
    const bool ok = equals != std::string::npos && equals > 0 && [&] {
      const auto [stop, error] = std::from_chars(word.data() + equals + 1, end, value);
      return error == std::errc() && stop == end;
    }();
    if (!ok) return invalid_field("config", word, "parameter=integer");
    std::string name(word.substr(0, equals));
    const bool repeated = std::any_of(values.begin(), values.end(),
                                      [&](const auto& entry) { return entry.first == name; });
    if (repeated) return invalid_field("config", word, "each parameter once");
    values.emplace_back(std::move(name), value);
  }
  return Config(std::move(values));
}

Space::Space(int version, std::vector<Parameter> parameters, std::vector<Constraint> constraints)
    : version_(version), parameters_(std::move(parameters)), constraints_(std::move(constraints)) {
  for (const Parameter& parameter : parameters_) {
    if (parameter.values.empty() ||
        !std::is_sorted(parameter.values.begin(), parameter.values.end())) {
      misuse(parameter.name, "values must be ascending and at least one");
    }
    if (!parameter.labels.empty() && parameter.labels.size() != parameter.values.size()) {
      misuse(parameter.name, "one label for each value");
    }
  }
  for (const Constraint& constraint : constraints_) {
    for (const std::string& name : constraint.parameters) {
      const bool known = std::any_of(parameters_.begin(), parameters_.end(),
                                     [&](const Parameter& p) { return p.name == name; });
      if (!known) misuse(constraint.text, "unknown parameter " + name);
    }
  }
}

StatusOr<std::vector<std::vector<uint16_t>>> Space::enumerate(size_t limit) const {
  // Constraints by the position of the last parameter they look at.
  std::vector<std::vector<const Constraint*>> due(parameters_.size());
  for (const Constraint& constraint : constraints_) {
    size_t last = 0;
    for (size_t d = 0; d < parameters_.size(); ++d) {
      const auto& names = constraint.parameters;
      if (std::find(names.begin(), names.end(), parameters_[d].name) != names.end()) last = d;
    }
    if (!due.empty()) due[last].push_back(&constraint);
  }

  std::vector<std::vector<uint16_t>> points;
  std::vector<uint16_t> levels;
  std::vector<std::pair<std::string, int64_t>> assigned;
  bool over_limit = false;
  const std::function<void()> descend = [&] {
    const size_t d = levels.size();
    if (d == parameters_.size()) {
      if (points.size() == limit) over_limit = true;
      if (!over_limit) points.push_back(levels);
      return;
    }
    for (size_t j = 0; j < parameters_[d].values.size() && !over_limit; ++j) {
      assigned.emplace_back(parameters_[d].name, parameters_[d].values[j]);
      const Config partial(assigned);
      if (std::all_of(due[d].begin(), due[d].end(),
                      [&](const Constraint* c) { return c->holds(partial); })) {
        levels.push_back(static_cast<uint16_t>(j));
        descend();
        levels.pop_back();
      }
      assigned.pop_back();
    }
  };
  descend();
  if (over_limit) {
    return absl::ResourceExhaustedError(
        fmt::format("the space has more than {} admissible points", limit));
  }
  return points;
}

Config Space::config(std::span<const uint16_t> levels) const {
  std::vector<std::pair<std::string, int64_t>> values;
  values.reserve(parameters_.size());
  for (size_t d = 0; d < parameters_.size(); ++d) {
    values.emplace_back(parameters_[d].name, parameters_[d].values.at(levels[d]));
  }
  return Config(std::move(values));
}

std::optional<std::vector<uint16_t>> Space::levels(const Config& config) const {
  if (config.values().size() != parameters_.size()) return std::nullopt;
  std::vector<uint16_t> levels;
  for (const Parameter& parameter : parameters_) {
    const std::optional<int64_t> value = config.find(parameter.name);
    if (!value) return std::nullopt;
    const auto at = std::find(parameter.values.begin(), parameter.values.end(), *value);
    if (at == parameter.values.end()) return std::nullopt;
    levels.push_back(static_cast<uint16_t>(at - parameter.values.begin()));
  }
  return levels;
}

Status Space::check(const Config& config) const {
  for (const auto& [name, value] : config.values()) {
    const bool known = std::any_of(parameters_.begin(), parameters_.end(),
                                   [&](const Parameter& p) { return p.name == name; });
    if (!known) return invalid_field(name, std::to_string(value), "a parameter of the space");
  }
  for (const Parameter& parameter : parameters_) {
    const std::optional<int64_t> value = config.find(parameter.name);
    if (!value) {
      return invalid_field(parameter.name, "(missing)",
                           fmt::format("one of {}", fmt::join(parameter.values, ", ")));
    }
    if (std::find(parameter.values.begin(), parameter.values.end(), *value) ==
        parameter.values.end()) {
      return invalid_field(parameter.name, std::to_string(*value),
                           fmt::format("one of {}", fmt::join(parameter.values, ", ")));
    }
  }
  for (const Constraint& constraint : constraints_) {
    if (!constraint.holds(config)) {
      return invalid_field("config", text(config), constraint.text);
    }
  }
  return absl::OkStatus();
}

std::string Space::text(const Config& config) const {
  return absl::StrJoin(config.values(), " ", [&](std::string* out, const auto& entry) {
    const auto& [name, value] = entry;
    const auto parameter = std::find_if(parameters_.begin(), parameters_.end(),
                                        [&](const Parameter& p) { return p.name == name; });
    if (parameter != parameters_.end() && !parameter->labels.empty()) {
      const auto at = std::find(parameter->values.begin(), parameter->values.end(), value);
      if (at != parameter->values.end()) {
        *out += fmt::format("{}={}", name, parameter->labels[at - parameter->values.begin()]);
        return;
      }
    }
    *out += fmt::format("{}={}", name, value);
  });
}

}  // namespace kiln
