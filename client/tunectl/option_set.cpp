#include "client/tunectl/option_set.h"

#include <CLI/CLI.hpp>

namespace kiln::tunectl {

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
  CLI::Option* option = app_.add_option(name, target, help);
  if (!target.empty()) option->capture_default_str();
}

void OptionSet::texts(const std::string& name, std::vector<std::string>& target,
                      const std::string& help) {
  // One value each, or the words behind would be taken too.
  app_.add_option(name, target, help)->allow_extra_args(false);
}

void OptionSet::choice(const std::string& name, std::string& target,
                       std::vector<std::string> choices, const std::string& help) {
  app_.add_option(name, target, help)
      ->check(CLI::IsMember(std::move(choices)))
      ->capture_default_str();
}

void OptionSet::positive(const std::string& name, int64_t& target, const std::string& help) {
  app_.add_option(name, target, help)->check(CLI::PositiveNumber);
}

void OptionSet::number(const std::string& name, uint64_t& target, const std::string& help) {
  app_.add_option(name, target, help)->capture_default_str();
}

void OptionSet::bytes(const std::string& name, uint64_t& target, const std::string& help) {
  app_.add_option(name, target, help)->transform(CLI::AsSizeValue(/*kb_is_1000=*/false));
}

void OptionSet::flag(const std::string& name, bool& target, const std::string& help) {
  app_.add_flag(name, target, help);
}

}  // namespace kiln::tunectl
