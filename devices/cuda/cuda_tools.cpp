#include "devices/cuda/cuda_tools.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "devices/compile/program.h"
#include "devices/compile/python_package.h"

namespace kiln::devices {
namespace {

// The first with C++20 and sm_90a.
constexpr int kOldestMajor = 12;
constexpr std::array kLibraryNames = {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"};
constexpr std::array<std::string_view, 2> kNvrtcPackages = {"nvidia-cuda-nvrtc",
                                                            "nvidia-cuda-nvrtc-cu12"};
constexpr std::array<std::string_view, 1> kNvdisasmPackages = {"nvidia-cuda-nvdisasm"};
constexpr std::string_view kInstall =
    "install a CUDA toolkit of version 12 or newer, or the Python package nvidia-cuda-nvrtc";

std::vector<std::string> toolkits() {
  std::vector<std::string> found;
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"}) {
    if (const char* path = std::getenv(variable)) found.emplace_back(path);
  }
  found.insert(found.end(), {"/usr/local/cuda", "/opt/cuda", "/usr/lib/cuda"});
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/local", error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("cuda-")) found.push_back(entry.path().string());
  }
  return found;
}

// nullopt: no such library, or none that answers.
std::optional<CudaTools::Nvrtc> ask(const std::string& library) {
  std::vector<std::string> command = {find_helper("kiln-rtc"), "nvrtc", library, "--version"};
  const StatusOr<std::string> answer = ask_program(std::move(command));
  CudaTools::Nvrtc found{.library = library};
  if (!answer.ok() || std::sscanf(answer->c_str(), "%d.%d", &found.major, &found.minor) != 2) {
    return std::nullopt;
  }
  return found;
}

std::optional<CudaTools::Nvrtc> find_nvrtc() {
  for (const char* name : kLibraryNames) {
    if (auto found = ask(name)) return found;
  }
  for (const std::string& toolkit : toolkits()) {
    for (const char* folder : {"/lib64/", "/targets/x86_64-linux/lib/"}) {
      for (const char* name : kLibraryNames) {
        const std::string path = toolkit + folder + name;
        if (access(path.c_str(), R_OK) != 0) continue;
        if (auto found = ask(path)) return found;
      }
    }
  }
  const std::string packaged = find_in_python_packages(kNvrtcPackages, "libnvrtc.so");
  return packaged.empty() ? std::nullopt : ask(packaged);
}

std::string find_nvdisasm() {
  if (const auto found = find_program("nvdisasm")) return *found;
  for (const std::string& toolkit : toolkits()) {
    if (const auto found = find_program(toolkit + "/bin/nvdisasm")) return *found;
  }
  return find_in_python_packages(kNvdisasmPackages, "nvdisasm");
}

}  // namespace

std::string CudaTools::Nvrtc::text() const {
  return fmt::format("NVRTC {}.{}", major, minor);
}

CudaTools& CudaTools::instance() {
  static CudaTools tools;
  return tools;
}

StatusOr<CudaTools::Nvrtc> CudaTools::nvrtc() {
  std::lock_guard lock(mutex_);
  if (!nvrtc_) nvrtc_ = find_nvrtc();
  if (!nvrtc_) return absl::UnavailableError(fmt::format("no NVRTC here; {}", kInstall));
  if (nvrtc_->major >= kOldestMajor) return *nvrtc_;
  return absl::UnavailableError(fmt::format("{} is {}; kernels need {}.0 or newer; {}",
                                            nvrtc_->library, nvrtc_->text(), kOldestMajor,
                                            kInstall));
}

std::string CudaTools::nvdisasm() {
  std::lock_guard lock(mutex_);
  if (!nvdisasm_) nvdisasm_ = find_nvdisasm();
  return *nvdisasm_;
}

}  // namespace kiln::devices
