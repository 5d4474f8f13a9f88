// A GPU of warps of 32 or waves of 64 lanes, emulated on this processor (runtime/emulator/).
//
// Kernels take the path that they take on GPUs; every access is checked, and a launch that does
// anything wrong fails with a report. Served only where it is asked for by name: times measured on
// it mean nothing.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/fingerprint.h"
#include "core/target.h"
#include "devices/compiler.h"

namespace kiln::devices {

inline constexpr int kEmulatedLanes[] = {32, 64};

// "emulator:warp32", "emulator:wave64"
std::string emulator_name(int lanes);
std::optional<int> emulated_lanes(std::string_view name);

Target emulator_target(int lanes);
Fingerprint emulator_fingerprint(int lanes);
std::unique_ptr<Compiler> open_emulator_compiler(int lanes, const CompilerOptions& options);

}  // namespace kiln::devices
