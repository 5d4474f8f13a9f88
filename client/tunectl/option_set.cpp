#include "client/tunectl/option_set.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_join.h"

namespace kiln::tunectl {
namespace {

// Options as manuals show them, "--budget LIMITS" and "--color auto|always|never", with the default
// behind what they do. The library's own form lists types, checks and enumerators' numbers.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() { label("REQUIRED", ""); }

  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return "";  // a flag
    const std::string what =
        option->get_option_text().empty() ? option->get_type_name() : option->get_option_text();
    const bool many = option->get_positional() && option->get_expected_max() > 1;
    return (option->get_positional() ? "" : " " + what) + (many ? " …" : "");
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    const std::string& value = option->get_default_str();
    return option->get_description() + (value.empty() ? "" : " (default " + value + ")");
  }
};

}  // namespace

OptionSet::OptionSet(CLI::App& app) : app_(app) {
  static const auto formatter = std::make_shared<HelpFormatter>();
  app_.formatter(formatter);
}

// Adds "--name VALUE": the option, and what the help calls its value.
template <class Target>
CLI::Option* OptionSet::add(const std::string& name, Target& target, const std::string& help) {
  const size_t space = name.find(' ');
  CLI::Option* option = app_.add_option(name.substr(0, space), target, help);
  if (space != std::string::npos) option->option_text(name.substr(space + 1));
  return option;
}

void OptionSet::words(const std::string& name, std::vector<std::string>& target, Need need,
                      const std::string& help) {
  app_.add_option(name, target, help)->required(need == Need::kRequired);
}

void OptionSet::word(const std::string& name, std::string& target, const std::string& help) {
  app_.add_option(name, target, help)->required();
}

void OptionSet::id(int64_t& target, const std::string& help) {
  app_.add_option("id", target, help)->required();
}

void OptionSet::ids(std::vector<int64_t>& target, const std::string& help) {
  app_.add_option("id", target, help)->required();
}

void OptionSet::text(const std::string& name, std::string& target, const std::string& help) {
  CLI::Option* option = add(name, target, help);
  if (!target.empty()) option->capture_default_str();
}

void OptionSet::texts(const std::string& name, std::vector<std::string>& target,
                      const std::string& help) {
  // One value each, or the words behind would be taken too.
  add(name, target, help)->allow_extra_args(false);
}

void OptionSet::choice(const std::string& name, std::string& target,
                       std::vector<std::string> choices, const std::string& help) {
  CLI::Option* option = app_.add_option(name, target, help);
  option->option_text(absl::StrJoin(choices, "|"));
  option->check(CLI::IsMember(std::move(choices)))->capture_default_str();
}

void OptionSet::positive(const std::string& name, int64_t& target, const std::string& help) {
  add(name, target, help)->check(CLI::PositiveNumber);
}

void OptionSet::number(const std::string& name, uint64_t& target, const std::string& help) {
  add(name, target, help)->capture_default_str();
}

void OptionSet::bytes(const std::string& name, uint64_t& target, const std::string& help) {
  add(name, target, help)->transform(CLI::AsSizeValue(/*kb_is_1000=*/false));
}

void OptionSet::flag(const std::string& name, bool& target, const std::string& help) {
  app_.add_flag(name, target, help);
}

}  // namespace kiln::tunectl
