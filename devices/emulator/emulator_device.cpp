#include "devices/emulator/emulator_device.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "devices/host/processor.h"
#include "devices/host/toolchain.h"
#include "runtime/host/thread_pool.h"

namespace kiln::devices {
namespace {

std::string architecture(int lanes) {
  return lanes == 64 ? "wave64" : "warp32";
}

std::vector<std::string> flags(int lanes) {
  std::vector<std::string> flags = Toolchain::plain_flags();
  flags.push_back("-march=x86-64");
  flags.push_back(fmt::format("-DTILE_EMULATOR_LANES={}", lanes));
  return flags;
}

}  // namespace

std::string emulator_name(int lanes) {
  return "emulator:" + architecture(lanes);
}

// Limits that every current GPU of that warp size has.
Target emulator_target(int lanes) {
  Target target;
  target.kind = "emulator";
  target.architecture = architecture(lanes);
  target.vector_lanes = lanes;
  target.vector_registers = 64;
  target.threads = runtime::usable_cpus();  // each runs a block
  target.memory_bytes = memory_for_problems();
  target.block_threads = 1024;
  target.thread_registers = lanes == 64 ? 512 : 255;
  target.scratchpad_bytes = (lanes == 64 ? 64 : 99) << 10;
  target.async_copy = lanes == 32;
  target.fragments = lanes == 64
                         ? std::vector<std::string>{"mfma_16x16x16"}
                         : std::vector<std::string>{"mma_m16n8k16", "wmma_gfx12", "wmma_gfx11"};
  return target;
}

EmulatorDevice::EmulatorDevice(int lanes, DeviceOptions options)
    : ClangDevice({.name = emulator_name(lanes),
                   .fingerprint = {.kind = "emulator",
                                   .model = architecture(lanes),
                                   .architecture = architecture(lanes),
                                   .instruction_set = architecture(lanes),
                                   .units = runtime::usable_cpus()},
                   .target = emulator_target(lanes),
                   .lowering = "tile/emulator.h",
                   .flags = flags(lanes)},
                  std::move(options)) {}

}  // namespace kiln::devices
