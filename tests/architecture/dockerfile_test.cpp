// The image is made by the scripts, and by nothing that they do not know.

#include <unistd.h>

#include <catch2/catch.hpp>
#include <regex>
#include <sstream>

#include "tests/architecture/repository.h"

namespace kiln::architecture {
namespace {

struct Instruction {
  std::string name;
  std::vector<std::string> words;  // without options such as --mount=…
};

// Comments left out, continued lines joined.
std::vector<Instruction> instructions(const std::string& dockerfile) {
  std::string joined;
  std::istringstream lines(dockerfile);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) continue;
    const bool goes_on = line.ends_with("\\");
    joined += goes_on ? line.substr(0, line.size() - 1) : line + "\n";
  }
  std::vector<Instruction> found;
  std::istringstream rows(joined);
  for (std::string row; std::getline(rows, row);) {
    std::istringstream words(row);
    Instruction instruction;
    words >> instruction.name;
    for (std::string word; words >> word;) {
      if (!instruction.words.empty() || !word.starts_with("--")) instruction.words.push_back(word);
    }
    if (!instruction.name.empty()) found.push_back(instruction);
  }
  return found;
}

std::vector<Instruction> named(const std::string& name) {
  std::vector<Instruction> found;
  for (const Instruction& instruction : instructions(read_file("Dockerfile"))) {
    if (instruction.name == name) found.push_back(instruction);
  }
  return found;
}

bool exists(const std::string& path, int mode) {
  return access((std::string(KILN_SOURCE_DIRECTORY) + "/" + path).c_str(), mode) == 0;
}

TEST_CASE("every step of the image is a script's, with options that the script knows") {
  const std::vector<Instruction> steps = named("RUN");
  CHECK(steps.size() == 3);
  for (const Instruction& step : steps) {
    REQUIRE_FALSE(step.words.empty());
    std::string script = step.words.front();
    if (script.starts_with("/src/")) script.erase(0, 5);
    INFO(script);
    CHECK(script.starts_with("scripts/"));
    REQUIRE(exists(script, X_OK));
    const std::string text = read_file(script);
    for (size_t i = 1; i < step.words.size(); ++i) {
      if (!step.words[i].starts_with("--")) continue;
      INFO(step.words[i]);
      CHECK(text.find("    " + step.words[i] + ")") != std::string::npos);
    }
  }
}

TEST_CASE("what the image copies is in the checkout and reaches the build") {
  const std::string ignored = read_file(".dockerignore");
  for (const Instruction& copy : named("COPY")) {
    const std::string& source = copy.words.front();
    if (source.starts_with("/")) continue;  // from another stage
    CHECK(exists(source, R_OK));
    CHECK(ignored.find("\n" + source.substr(0, source.find('/')) + "\n") == std::string::npos);
  }
  for (const char* left_out : {"\n.git\n", "\n.venv\n", "\nbuild*\n"}) {
    CHECK(ignored.find(left_out) != std::string::npos);
  }
}

TEST_CASE("the image runs installed programs, as a user of its own") {
  REQUIRE(named("USER").size() == 1);
  const std::string user = named("USER").front().words.front();
  CHECK(user != "root");
  CHECK(read_file("scripts/install").find("useradd --system") != std::string::npos);

  const std::regex quoted("\"([a-z]+)\"");
  const auto program = [&](const char* instruction, size_t word) {
    std::smatch match;
    const std::string text = named(instruction).front().words.at(word);
    return std::regex_search(text, match, quoted) ? match[1].str() : text;
  };
  CHECK(program("ENTRYPOINT", 0) == "kilnd");
  CHECK(read_file("server/CMakeLists.txt").find("kiln_program(kilnd ") != std::string::npos);
  // HEALTHCHECK … CMD ["tunectl", "families", …]
  CHECK(named("HEALTHCHECK").front().words.at(0) == "CMD");
  CHECK(program("HEALTHCHECK", 1) == "tunectl");
  CHECK(read_file("client/tunectl/app.cpp").find("{\"" + program("HEALTHCHECK", 2) + "\"") !=
        std::string::npos);
}

}  // namespace
}  // namespace kiln::architecture
