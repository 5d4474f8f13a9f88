#include "devices/gpu/gpu_findings.h"

#include <fmt/format.h>

#include <string_view>

#include "devices/compiler.h"
#include "devices/cuda/cuda_tools.h"
#include "devices/gpu/gpu_survey.h"
#include "devices/hip/hip_tools.h"

namespace kiln::devices {
namespace {

GpuFinding driver_finding(std::string_view vendor, std::string_view kind, bool& has_device) {
  GpuFinding finding{.subject = fmt::format("{} GPUs", vendor), .found = "none", .remedy = ""};
  const StatusOr<GpuSurvey> survey = survey_gpus(kind);
  if (!survey.ok()) {
    finding.ok = absl::IsUnavailable(survey.status());
    finding.remedy = std::string(survey.status().message());
    return finding;
  }
  has_device = !survey->devices.empty();
  finding.found = survey->driver;
  for (size_t i = 0; i < survey->devices.size(); ++i) {
    const runtime::GpuProperties& device = survey->devices[i];
    finding.found += fmt::format("{} {}:{} {} ({}, {} multiprocessors, {} GiB)", i == 0 ? ":" : ",",
                                 kind, i, device.model, device.architecture, device.multiprocessors,
                                 device.memory_bytes >> 30);
  }
  return finding;
}

GpuFinding compiler_finding(std::string_view vendor, std::string_view target, bool needed) {
  GpuFinding finding{
      .subject = fmt::format("compiler for {}", vendor), .found = "none", .remedy = ""};
  const auto compiler = open_compiler(target, {});
  const StatusOr<std::string> version = (*compiler)->version();
  if (version.ok()) {
    finding.found = *version;
  } else {
    finding.ok = !needed;
    finding.remedy = std::string(version.status().message());
  }
  return finding;
}

GpuFinding disassembler_finding() {
  GpuFinding finding{.subject = "GPU disassemblers", .found = "", .remedy = ""};
  const std::string sass = CudaTools::instance().nvdisasm();
  const std::string gcn = HipTools::instance().disassembler();
  finding.found = fmt::format("{}, {}", sass.empty() ? "no nvdisasm" : sass,
                              gcn.empty() ? "no llvm-objdump" : gcn);
  if (sass.empty() || gcn.empty()) {
    finding.remedy =
        "without them instructions are not counted; the Python package nvidia-cuda-nvdisasm and "
        "the "
        "Debian package llvm-19 have them";
  }
  return finding;
}

}  // namespace

std::vector<GpuFinding> find_gpu_support() {
  bool nvidia = false, amd = false;
  std::vector<GpuFinding> findings;
  findings.push_back(driver_finding("NVIDIA", "cuda", nvidia));
  findings.push_back(compiler_finding("NVIDIA", "sm_80", nvidia));
  findings.push_back(driver_finding("AMD", "hip", amd));
  findings.push_back(compiler_finding("AMD", "gfx90a", amd));
  findings.push_back(disassembler_finding());
  return findings;
}

}  // namespace kiln::devices
