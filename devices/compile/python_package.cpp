#include "devices/compile/python_package.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "devices/compile/program.h"

namespace kiln::devices {
namespace {

// Prints the paths of a package's files whose names begin with a prefix.
constexpr const char* kScript =
    "import sys\n"
    "from importlib.metadata import files, PackageNotFoundError\n"
    "for package in sys.argv[2:]:\n"
    "  try:\n"
    "    for file in files(package) or []:\n"
    "      if file.name.startswith(sys.argv[1]): print(file.locate().resolve())\n"
    "  except PackageNotFoundError: pass\n";

std::vector<std::string> interpreters() {
  std::vector<std::string> found;
  auto add = [&](const std::filesystem::path& path) {
    if (access(path.c_str(), X_OK) == 0) found.push_back(path.string());
  };
  if (const char* environment = std::getenv("VIRTUAL_ENV")) {
    add(std::filesystem::path(environment) / "bin/python");
  }
  std::error_code error;
  std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (; here.has_relative_path(); here = here.parent_path())
    add(here / ".venv/bin/python");
  if (const auto python = find_program("python3")) found.push_back(*python);
  return found;
}

}  // namespace

std::string find_in_python_packages(std::span<const std::string_view> packages,
                                    std::string_view prefix) {
  for (const std::string& python : interpreters()) {
    // -I: neither the working directory nor the user's own folders.
    std::vector<std::string> arguments = {python, "-I", "-c", kScript, std::string(prefix)};
    arguments.insert(arguments.end(), packages.begin(), packages.end());
    const StatusOr<std::string> answer = ask_program(std::move(arguments));
    if (!answer.ok()) continue;
    if (answer->starts_with('/')) return answer->substr(0, answer->find('\n'));
  }
  return {};
}

}  // namespace kiln::devices
