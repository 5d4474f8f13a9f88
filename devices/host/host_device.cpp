#include "devices/host/host_device.h"

#include <utility>

#include "devices/host/processor.h"
#include "devices/host/toolchain.h"

namespace kiln::devices {

HostDevice::HostDevice(std::string name, runtime::InstructionSet set, DeviceOptions options)
    : ClangDevice({.name = std::move(name),
                   .fingerprint = host_fingerprint(set),
                   .target = host_target(set),
                   .lowering = "tile/host.h",
                   .flags = Toolchain::flags(set)},
                  std::move(options)) {}

}  // namespace kiln::devices
