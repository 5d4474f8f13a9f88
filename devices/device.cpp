#include "devices/device.h"

#include <fmt/format.h>

#include <optional>

#include "devices/emulator/emulator_device.h"
#include "devices/host/host_device.h"
#include "runtime/host/instruction_set.h"

namespace kiln::devices {
namespace {

using runtime::InstructionSet;

constexpr std::string_view kHost = "host";

}  // namespace

StatusOr<std::unique_ptr<Device>> open_device(std::string_view name, const DeviceOptions& options) {
  std::optional<InstructionSet> set;
  if (name == kHost) {
    set = runtime::best_instruction_set();
  } else if (name.starts_with("host:")) {
    set = runtime::parse_instruction_set(name.substr(kHost.size() + 1));
  }
  if (set) return std::make_unique<HostDevice>(std::string(name), *set, options);
  for (int lanes : kEmulatedLanes) {
    if (name == emulator_name(lanes)) return std::make_unique<EmulatorDevice>(lanes, options);
  }
  return absl::NotFoundError(fmt::format("no device {}; there are {}", printable(name, 64),
                                         fmt::join(device_names(), ", ")));
}

std::vector<std::string> device_names() {
  std::vector<std::string> names = {std::string(kHost)};
  for (int set = int(runtime::best_instruction_set()); set >= 0; --set) {
    names.push_back(fmt::format("{}:{}", kHost, name_of(InstructionSet(set))));
  }
  for (int lanes : kEmulatedLanes)
    names.push_back(emulator_name(lanes));
  return names;
}

}  // namespace kiln::devices
