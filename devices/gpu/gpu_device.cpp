#include "devices/gpu/gpu_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "devices/gpu/architecture.h"
#include "devices/gpu/gpu_compiler.h"
#include "devices/gpu/gpu_survey.h"

namespace kiln::devices {

Fingerprint gpu_fingerprint(std::string_view kind, const runtime::GpuProperties& properties) {
  constexpr int64_t kGiB = 1 << 30;
  return {.kind = std::string(kind),
          .model = fmt::format("{} {} GiB", properties.model,
                               (properties.memory_bytes + kGiB / 2) / kGiB),
          .architecture = properties.architecture,
          .instruction_set = target_for(properties.architecture),
          .units = std::max(properties.multiprocessors, 1)};
}

std::string target_for(std::string_view architecture) {
  if (find_gpu_architecture(architecture)) return std::string(architecture);
  // "sm_89": all but the last digit is the major version.
  constexpr size_t kPrefix = 3;
  if (!architecture.starts_with("sm_") || architecture.size() < kPrefix + 2) return {};
  const std::string_view major = architecture.substr(0, architecture.size() - 1);
  for (const GpuArchitecture& known : gpu_architectures()) {
    if (known.name == fmt::format("{}0", major)) return std::string(known.name);
  }
  return {};
}

StatusOr<std::unique_ptr<Device>> open_gpu_device(const std::string& kind, int ordinal,
                                                  const DeviceOptions& options) {
  KILN_ASSIGN_OR_RETURN(const GpuSurvey survey, survey_gpus(kind));
  if (ordinal < 0 || size_t(ordinal) >= survey.devices.size()) {
    return absl::NotFoundError(fmt::format("no device {}:{}; {} shows {}", kind, ordinal,
                                           survey.driver, survey.devices.size()));
  }
  const runtime::GpuProperties& properties = survey.devices[size_t(ordinal)];
  const std::string target_name = target_for(properties.architecture);
  if (target_name.empty()) {
    return absl::FailedPreconditionError(fmt::format(
        "{}:{} is a {} of architecture {}, which kernels are not compiled for; there "
        "are {}",
        kind, ordinal, properties.model, properties.architecture, fmt::join(target_names(), ", ")));
  }
  const GpuArchitecture& architecture = *find_gpu_architecture(target_name);
  Target target = target_of(architecture);
  target.threads = std::max(properties.multiprocessors, 1);
  // Half: the rest is for everybody else.
  target.memory_bytes = properties.memory_bytes / 2;
  if (properties.scratchpad_bytes > 0) target.scratchpad_bytes = properties.scratchpad_bytes;
  if (properties.l2_bytes > 0) target.llc_bytes = properties.l2_bytes;
  return std::make_unique<Device>(
      fmt::format("{}:{}", kind, ordinal), gpu_fingerprint(kind, properties),
      open_gpu_compiler(architecture, target, options, survey.driver), ordinal);
}

}  // namespace kiln::devices
