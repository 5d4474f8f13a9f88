#include "client/tunectl/config_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "client/tunectl/problem_words.h"

namespace kiln::tunectl {
namespace {

StatusOr<int64_t> read_value(const Parameter& parameter, const std::string& text) {
  const auto label = std::ranges::find(parameter.labels, text);
  if (label != parameter.labels.end()) {
    return parameter.values[size_t(label - parameter.labels.begin())];
  }
  int64_t value = 0;
  if (absl::SimpleAtoi(text, &value) && std::ranges::binary_search(parameter.values, value)) {
    return value;
  }
  return invalid_field(parameter.name, text,
                       parameter.labels.empty()
                           ? fmt::format("one of {}", fmt::join(parameter.values, ", "))
                           : fmt::format("one of {}", fmt::join(parameter.labels, ", ")));
}

}  // namespace

StatusOr<Config> read_config(const Space& space, const Config& base, const std::string& text) {
  std::vector<std::pair<std::string, int64_t>> values = base.values();
  KILN_ASSIGN_OR_RETURN(
      const auto words,
      parse_assignments(absl::StrSplit(text, absl::ByAnyChar(" ,"), absl::SkipEmpty()),
                        "--config"));
  for (const auto& [name, value] : words) {
    const auto parameter = std::ranges::find(space.parameters(), name, &Parameter::name);
    if (parameter == space.parameters().end()) {
      std::vector<std::string> known;
      for (const Parameter& p : space.parameters())
        known.push_back(p.name);
      return invalid_field("--config", name, fmt::format("one of {}", fmt::join(known, ", ")));
    }
    KILN_ASSIGN_OR_RETURN(const int64_t number, read_value(*parameter, value));
    std::ranges::find(values, name, &std::pair<std::string, int64_t>::first)->second = number;
  }
  Config config(std::move(values));
  KILN_RETURN_IF_ERROR(space.check(config));
  return config;
}

}  // namespace kiln::tunectl
