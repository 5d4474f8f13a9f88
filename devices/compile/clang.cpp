#include "devices/compile/clang.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "devices/compile/program.h"

namespace kiln::devices {
namespace {

constexpr std::array kCompilers = {"clang++-19", "clang++", "clang++-20", "clang++-18"};
constexpr int kOldestClang = 17;
constexpr std::string_view kInstall = "install the Debian package clang-19";

// "Debian clang version 19.1.7 (3~deb12u1)" to "clang 19.1.7".
std::optional<std::string> clang_version(std::string_view text) {
  constexpr std::string_view kMark = "clang version ";
  const size_t mark = text.find(kMark);
  if (mark == std::string_view::npos) return std::nullopt;
  text.remove_prefix(mark + kMark.size());
  return fmt::format("clang {}", text.substr(0, text.find_first_of(" \n(-+~")));
}

StatusOr<std::string> ask_version(const std::string& compiler) {
  const StatusOr<std::string> output = ask_program({compiler, "--version"});
  std::optional<std::string> version = output.ok() ? clang_version(*output) : std::nullopt;
  if (!version) {
    return absl::UnavailableError(fmt::format(
        "{} does not answer --version as clang does ({}); {}", compiler,
        output.ok() ? printable(*output, 80) : std::string(output.status().message()), kInstall));
  }
  const int major = std::atoi(version->c_str() + std::strlen("clang "));
  if (major < kOldestClang) {
    return absl::UnavailableError(fmt::format("{} is {}; kernels need clang {} or newer; {}",
                                              compiler, *version, kOldestClang, kInstall));
  }
  return *std::move(version);
}

}  // namespace

StatusOr<Clang::Found> Clang::find() const {
  std::lock_guard lock(mutex_);
  if (found_) return *found_;
  const std::optional<std::string> path =
      wanted_.empty() ? find_first_program(kCompilers) : find_program(wanted_);
  if (!path) {
    return absl::UnavailableError(
        wanted_.empty() ? fmt::format("no clang++ in PATH; {}", kInstall)
                        : fmt::format("no compiler {}; {}, or name another", wanted_, kInstall));
  }
  KILN_ASSIGN_OR_RETURN(std::string version, ask_version(*path));
  found_ = Found{*path, std::move(version)};
  return *found_;
}

}  // namespace kiln::devices
