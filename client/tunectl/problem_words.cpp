#include "client/tunectl/problem_words.h"

#include <fmt/format.h>

#include "absl/strings/str_split.h"
#include "client/tunectl/failure.h"
#include "client/tunectl/text.h"

namespace kiln::tunectl {
namespace {

std::vector<std::string> split_words(const std::vector<std::string>& words) {
  std::vector<std::string> split;
  for (const std::string& word : words) {
    const std::vector<std::string> parts = absl::StrSplit(word, ' ', absl::SkipEmpty());
    split.insert(split.end(), parts.begin(), parts.end());
  }
  return split;
}

}  // namespace

StatusOr<std::vector<std::pair<std::string, std::string>>> parse_assignments(
    const std::vector<std::string>& words, std::string_view option) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return usage_error(fmt::format("{}{}{}: expected field=value, for example batch=1", option,
                                     option.empty() ? "" : " ", safe_text(word)));
    }
    if (!valid_utf8(word)) {
      return usage_error(fmt::format("{}: expected UTF-8 text", safe_text(word)));
    }
    fields.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return fields;
}

StatusOr<v1::Problem> parse_problem(const std::vector<std::string>& words) {
  std::vector<std::string> split = split_words(words);
  if (split.empty() || split.front().find('=') != std::string::npos) {
    return usage_error("a problem starts with its family: FAMILY field=value …",
                       "`tunectl families` lists them");
  }
  const std::string family = split.front();
  if (!valid_utf8(family)) {
    return usage_error(fmt::format("{}: expected UTF-8 text", safe_text(family)));
  }
  split.erase(split.begin());
  KILN_ASSIGN_OR_RETURN(const auto fields, parse_assignments(split, ""));
  return to_message(family, fields);
}

v1::Problem to_message(const std::string& family,
                       const std::vector<std::pair<std::string, std::string>>& fields) {
  v1::Problem problem;
  problem.set_family(family);
  for (const auto& [name, value] : fields) {
    v1::ProblemField& field = *problem.add_fields();
    field.set_name(name);
    field.mutable_value()->set_choice(value);
  }
  return problem;
}

std::string text_of(const v1::Problem& problem) {
  std::string text = problem.family();
  for (const auto& field : problem.fields()) {
    text += fmt::format(" {}={}", field.name(), field.value().choice());
  }
  return text;
}

}  // namespace kiln::tunectl
