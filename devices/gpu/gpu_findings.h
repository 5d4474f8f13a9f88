// What this machine has for GPUs, found or missing: drivers with their devices, compilers,
// disassemblers. For people who want to know what to install.

#pragma once

#include <string>
#include <vector>

namespace kiln::devices {

struct GpuFinding {
  std::string subject;  // "NVIDIA GPUs"
  std::string found;    // "CUDA driver 12.8: NVIDIA H100 (sm_90a)"; "none"
  std::string remedy;   // how to get what is missing
  // False where something is there that does not work, or a device lacks its compiler. A machine
  // without GPUs is in order.
  bool ok = true;
};

// Asks drivers and compilers in processes of their own; takes up to a second.
std::vector<GpuFinding> find_gpu_support();

}  // namespace kiln::devices
