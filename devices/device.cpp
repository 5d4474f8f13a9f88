#include "devices/device.h"

#include <fmt/format.h>

#include <array>

#include "absl/strings/numbers.h"
#include "devices/emulator/emulator.h"
#include "devices/gpu/gpu_device.h"
#include "devices/gpu/gpu_survey.h"
#include "devices/host/clang_backend.h"
#include "devices/host/processor.h"
#include "runtime/host/instruction_set.h"

namespace kiln::devices {
namespace {

using runtime::InstructionSet;

constexpr std::array<std::string_view, 2> kGpuKinds = {"cuda", "hip"};

}  // namespace

StatusOr<Artifact> Device::compile(const KernelSource& source,
                                   const CompileOptions& options) const {
  KILN_ASSIGN_OR_RETURN(Compilation made, compiler_->compile(source, options));
  return std::move(made.artifact);
}

StatusOr<std::unique_ptr<Device>> open_device(std::string_view name, const DeviceOptions& options) {
  if (const auto set = host_instruction_set(name)) {
    return std::make_unique<Device>(std::string(name), host_fingerprint(*set),
                                    open_host_compiler(*set, options));
  }
  if (const auto lanes = emulated_lanes(name)) {
    return std::make_unique<Device>(std::string(name), emulator_fingerprint(*lanes),
                                    open_emulator_compiler(*lanes, options));
  }
  for (std::string_view kind : kGpuKinds) {
    int ordinal = 0;
    if (name.size() > kind.size() && name.starts_with(kind) && name[kind.size()] == ':' &&
        absl::SimpleAtoi(std::string(name.substr(kind.size() + 1)), &ordinal)) {
      return open_gpu_device(std::string(kind), ordinal, options);
    }
  }
  return absl::NotFoundError(fmt::format("no device {}; there are {}", printable(name, 64),
                                         fmt::join(device_names(), ", ")));
}

std::vector<std::string> device_names() {
  std::vector<std::string> names = {"host"};
  for (int set = int(runtime::best_instruction_set()); set >= 0; --set) {
    names.push_back(fmt::format("host:{}", name_of(InstructionSet(set))));
  }
  for (std::string_view kind : kGpuKinds) {
    const StatusOr<GpuSurvey> survey = survey_gpus(kind);
    for (size_t i = 0; survey.ok() && i < survey->devices.size(); ++i)
      names.push_back(fmt::format("{}:{}", kind, i));
  }
  for (int lanes : kEmulatedLanes)
    names.push_back(emulator_name(lanes));
  return names;
}

}  // namespace kiln::devices
