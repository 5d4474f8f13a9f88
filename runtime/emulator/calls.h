// The table through which emulated threads reach their block; `run` is left to the launch.

#pragma once

#include "runtime/emulator/abi.h"

namespace kiln::runtime::emulator {

KilnEmulatorApi calls();

}  // namespace kiln::runtime::emulator
