// This machine's processor as a device.
//
// A HostDevice for an instruction set that the processor lacks compiles all the same, so that the
// code can be looked at; loading it is refused.

#pragma once

#include <string>

#include "devices/host/clang_device.h"
#include "runtime/host/instruction_set.h"

namespace kiln::devices {

class HostDevice : public ClangDevice {
 public:
  HostDevice(std::string name, runtime::InstructionSet set, DeviceOptions options);
};

}  // namespace kiln::devices
