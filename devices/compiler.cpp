#include "devices/compiler.h"

#include <fmt/format.h>

#include "devices/emulator/emulator.h"
#include "devices/gpu/architecture.h"
#include "devices/gpu/gpu_compiler.h"
#include "devices/host/clang_backend.h"
#include "runtime/host/instruction_set.h"

namespace kiln::devices {

StatusOr<std::unique_ptr<Compiler>> open_compiler(std::string_view target,
                                                  const CompilerOptions& options) {
  if (const auto set = host_instruction_set(target)) return open_host_compiler(*set, options);
  if (const auto lanes = emulated_lanes(target)) return open_emulator_compiler(*lanes, options);
  if (const GpuArchitecture* architecture = find_gpu_architecture(target)) {
    return open_gpu_compiler(*architecture, target_of(*architecture), options);
  }
  return absl::NotFoundError(fmt::format("no target {}; there are {}", printable(target, 64),
                                         fmt::join(target_names(), ", ")));
}

std::vector<std::string> target_names() {
  std::vector<std::string> names = {"host"};
  for (int set = int(runtime::InstructionSet::kAvx512Bf16); set >= 0; --set) {
    names.push_back(fmt::format("host:{}", name_of(runtime::InstructionSet(set))));
  }
  for (const GpuArchitecture& architecture : gpu_architectures())
    names.emplace_back(architecture.name);
  for (int lanes : kEmulatedLanes)
    names.push_back(emulator_name(lanes));
  return names;
}

}  // namespace kiln::devices
