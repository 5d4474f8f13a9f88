#include "devices/hip/hip_tools.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "devices/compile/cache_directory.h"
#include "devices/compile/program.h"

namespace kiln::devices {
namespace {

// Up to ROCm 5 hipRTC is part of the run time's library.
constexpr std::array kLibraryNames = {"libhiprtc.so.7", "libhiprtc.so.6", "libhiprtc.so",
                                      "libamdhip64.so.5", "libamdhip64.so"};
constexpr std::array kDisassemblers = {"llvm-objdump-19", "llvm-objdump", "llvm-objdump-20",
                                       "llvm-objdump-18"};

std::vector<std::string> places(const std::string& name) {
  std::vector<std::string> all = {name};
  for (const char* variable : {"ROCM_PATH", "HIP_PATH"}) {
    if (const char* path = std::getenv(variable))
      all.push_back(fmt::format("{}/lib/{}", path, name));
  }
  all.push_back("/opt/rocm/lib/" + name);
  return all;
}

std::optional<HipTools::Hiprtc> find_hiprtc() {
  for (const char* name : kLibraryNames) {
    for (const std::string& place : places(name)) {
      const StatusOr<std::string> answer =
          ask_program({find_helper("kiln-rtc"), "hiprtc", place, "--version"});
      int major = 0, minor = 0;
      if (!answer.ok() || std::sscanf(answer->c_str(), "%d.%d", &major, &minor) != 2) continue;
      return HipTools::Hiprtc{place, fmt::format("hipRTC {}.{}", major, minor)};
    }
  }
  return std::nullopt;
}

}  // namespace

HipTools& HipTools::instance() {
  static HipTools tools;
  return tools;
}

std::optional<HipTools::Hiprtc> HipTools::hiprtc() {
  std::lock_guard lock(mutex_);
  if (!looked_) hiprtc_ = find_hiprtc();
  looked_ = true;
  return hiprtc_;
}

std::optional<HipTools::Hiprtc> HipTools::hiprtc_for(const std::string& architecture) {
  const std::optional<Hiprtc> found = hiprtc();
  if (!found) return std::nullopt;
  std::lock_guard lock(mutex_);
  const auto [entry, fresh] = knows_.try_emplace(architecture);
  if (fresh) entry->second = try_out(*found, architecture);
  return entry->second ? found : std::nullopt;
}

bool HipTools::try_out(const Hiprtc& hiprtc, const std::string& architecture) {
  std::error_code error;
  std::string folder =
      (std::filesystem::temp_directory_path(error) / "kiln-hiprtc-XXXXXX").string();
  if (!mkdtemp(folder.data())) return false;
  const WorkDirectory work(folder);
  if (!write_file(folder + "/probe.hip", "extern \"C\" __global__ void probe() {}\n").ok()) {
    return false;
  }
  return ask_program({find_helper("kiln-rtc"), "hiprtc", hiprtc.library, folder + "/probe.hip",
                      folder + "/probe.co", "code", "--offload-arch=" + architecture})
      .ok();
}

Status HipTools::linker_of(const std::string& clang) {
  std::lock_guard lock(mutex_);
  if (links_.contains(clang)) return absl::OkStatus();
  // A program that clang does not find is answered by its bare name.
  const StatusOr<std::string> path = ask_program({clang, "--print-prog-name=lld"});
  if (path.ok() && path->starts_with('/')) {
    links_.insert(clang);
    return absl::OkStatus();
  }
  return absl::UnavailableError(
      fmt::format("{} finds no lld, which links code for AMD's GPUs; install the Debian package "
                  "lld-19",
                  clang));
}

std::string HipTools::disassembler() {
  return find_first_program(kDisassemblers).value_or("");
}

}  // namespace kiln::devices
