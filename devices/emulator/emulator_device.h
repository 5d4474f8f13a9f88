// A GPU of warps of 32 or waves of 64 lanes, emulated on this processor (runtime/emulator/).
//
// Kernels take the path that they take on GPUs; every access is checked, and a launch that does
// anything wrong fails with a report. Served only where it is asked for by name: times measured on
// it mean nothing.

#pragma once

#include <string>

#include "devices/host/clang_device.h"

namespace kiln::devices {

inline constexpr int kEmulatedLanes[] = {32, 64};

// "emulator:warp32", "emulator:wave64"
std::string emulator_name(int lanes);
Target emulator_target(int lanes);

class EmulatorDevice : public ClangDevice {
 public:
  EmulatorDevice(int lanes, DeviceOptions options);
};

}  // namespace kiln::devices
