// A GPU of this machine, "cuda:0" or "hip:1", in its driver's order.
//
// Opening one asks the driver in another process; this process never touches it.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "devices/device.h"
#include "runtime/gpu/driver.h"

namespace kiln::devices {

// UNAVAILABLE when the driver is not there; NOT_FOUND when it has no such device;
// FAILED_PRECONDITION for an architecture that kernels are not compiled for.
StatusOr<std::unique_ptr<Device>> open_gpu_device(const std::string& kind, int ordinal,
                                                  const DeviceOptions& options);

// Model, architecture, multiprocessors and memory.
Fingerprint gpu_fingerprint(std::string_view kind, const runtime::GpuProperties& properties);

// The target whose code runs on a device of this architecture: NVIDIA's binaries run on later minor
// versions too ("sm_89" takes sm_80's). Empty: none.
std::string target_for(std::string_view architecture);

}  // namespace kiln::devices
