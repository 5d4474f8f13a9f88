// Includes follow the arrows of docs/architecture.md, and libraries stay in the rooms that own
// them.

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <sstream>

#include "tests/architecture/repository.h"

namespace kiln::architecture {
namespace {

using Arrows = std::map<std::string, std::set<std::string>>;

// The fenced block "arrows": a line "room -> room room …".
Arrows read_arrows(const std::string& document) {
  Arrows arrows;
  std::istringstream lines(document);
  std::string line;
  bool inside = false;
  while (std::getline(lines, line)) {
    if (line.starts_with("```")) {
      inside = line == "```arrows";
      continue;
    }
    if (!inside) continue;
    std::istringstream words(line);
    std::string room, arrow, other;
    words >> room >> arrow;
    REQUIRE(arrow == "->");
    auto& known = arrows[room];
    while (words >> other)
      known.insert(other);
  }
  return arrows;
}

bool lies_in(const std::string& path, const std::string& room) {
  return path == room || path.starts_with(room + "/");
}

// Rooms may nest (templates, templates/tile): a file obeys every room that holds it.
std::vector<std::string> rooms_of(const std::string& path, const Arrows& arrows) {
  std::vector<std::string> rooms;
  for (const auto& [room, known] : arrows) {
    if (lies_in(path, room)) rooms.push_back(room);
  }
  return rooms;
}

// What is wrong with the quoted includes of a file; empty when nothing is.
std::string wrong_arrows(const SourceFile& file, const Arrows& arrows) {
  std::set<std::string> allowed;
  for (const auto& room : rooms_of(file.path, arrows)) {
    allowed.insert(room);
    allowed.insert(arrows.at(room).begin(), arrows.at(room).end());
  }
  std::string wrong;
  for (const auto& include : includes(file)) {
    // Kernel files are compiled with templates/ as root of their includes.
    const bool kernel_path = lies_in(file.path, "templates") && include.path.starts_with("tile/");
    const std::string target = kernel_path ? "templates/" + include.path : include.path;
    if (rooms_of(target, arrows).empty()) continue;
    bool known = false;
    for (const auto& room : allowed)
      known = known || lies_in(target, room);
    if (!known) {
      wrong += file.path + ":" + std::to_string(include.line) + " includes " + include.path + "\n";
    }
  }
  return wrong;
}

const Arrows& arrows() {
  static const Arrows read = read_arrows(read_file("docs/architecture.md"));
  return read;
}

std::vector<std::string> room_names() {
  std::vector<std::string> names;
  for (const auto& [room, known] : arrows()) {
    if (room.find('/') == std::string::npos) names.push_back(room);
  }
  names.push_back("client");
  return names;
}

TEST_CASE("a wrong arrow is found") {
  const Arrows two = {{"core", {}}, {"runtime", {"core"}}};
  CHECK(wrong_arrows({"runtime/kernel.cpp", "#include \"core/plan.h\"\n"}, two).empty());
  CHECK(wrong_arrows({"core/plan.cpp", "#include <string>\n #  include \"runtime/kernel.h\"\n"},
                     two) == "core/plan.cpp:2 includes runtime/kernel.h\n");
}

TEST_CASE("every room's includes follow the arrows") {
  REQUIRE(arrows().size() >= 12);
  std::string wrong;
  size_t files = 0;
  for (const auto& file : source_files(room_names())) {
    if (!is_code(file.path)) continue;
    ++files;
    wrong += wrong_arrows(file, arrows());
  }
  CHECK(files > 50);
  INFO(wrong);
  CHECK(wrong.empty());
}

TEST_CASE("the rooms that code includes exist as arrows") {
  for (const auto& [room, known] : arrows()) {
    for (const auto& other : known) {
      INFO(room << " -> " << other);
      CHECK_FALSE(rooms_of(other, arrows()).empty());
    }
  }
}

TEST_CASE("libraries stay in the rooms that own them") {
  struct Library {
    std::string header;  // beginning of the include's path
    std::vector<std::string> rooms;
  };
  const std::vector<Library> libraries = {
      {"grpc", {"proto", "server", "client", "benchmarks"}},
      {"google/", {"proto", "server", "client", "benchmarks"}},
      {"kiln/v1/", {"proto", "server", "client", "benchmarks"}},
      {"sqlite3", {"db/sqlite"}},
      {"Eigen/", {"tuner/strategies"}},
      {"CLI/", {"server", "client/tunectl"}},
      {"yaml-cpp/", {"server"}},
      {"spdlog/", {"engine", "server", "client/tunectl"}},
      {"catch2/", {}},
  };
  std::string wrong;
  for (const auto& file : source_files(room_names())) {
    if (!is_code(file.path)) continue;
    for (const auto& include : includes(file)) {
      for (const auto& library : libraries) {
        if (!include.path.starts_with(library.header)) continue;
        bool owner = false;
        for (const auto& room : library.rooms)
          owner = owner || lies_in(file.path, room);
        if (!owner) {
          wrong += file.path + ":" + std::to_string(include.line) + " " + include.path + "\n";
        }
      }
    }
  }
  INFO(wrong);
  CHECK(wrong.empty());
}

}  // namespace
}  // namespace kiln::architecture
