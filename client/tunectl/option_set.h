// The options of one command, declared by kind, and how its help shows them.
//
// Targets must outlive the parsing and hold the default, which the help shows.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace kiln::tunectl {

class OptionSet {
 public:
  enum class Need { kOptional, kRequired };

  explicit OptionSet(CLI::App& app);

  // By position.
  void words(const std::string& name, std::vector<std::string>& target, Need need,
             const std::string& help);
  void word(const std::string& name, std::string& target, const std::string& help);  // required
  void id(int64_t& target, const std::string& help);                                 // required
  void ids(std::vector<int64_t>& target, const std::string& help);                   // at least one

  // By name, with what the help calls the value: "--out DIR".
  void text(const std::string& name, std::string& target, const std::string& help);
  void texts(const std::string& name, std::vector<std::string>& target,
             const std::string& help);  // repeatable
  void choice(const std::string& name, std::string& target, std::vector<std::string> choices,
              const std::string& help);
  void positive(const std::string& name, int64_t& target, const std::string& help);
  void number(const std::string& name, uint64_t& target, const std::string& help);
  void bytes(const std::string& name, uint64_t& target, const std::string& help);  // "512MB"
  void flag(const std::string& name, bool& target, const std::string& help);

 private:
  template <class Target>
  CLI::Option* add(const std::string& name, Target& target, const std::string& help);

  CLI::App& app_;
};

}  // namespace kiln::tunectl
