// NVRTC and hipRTC: one interface under two names.

#pragma once

#include <span>
#include <string_view>

namespace kiln::devices {

// The program kiln-rtc; main.cpp says what the arguments are. Returns the exit code.
int run_rtc(std::span<const std::string_view> arguments);

}  // namespace kiln::devices
