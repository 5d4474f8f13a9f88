#include "devices/emulator/emulator.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "devices/compile/source_compiler.h"
#include "devices/host/clang_backend.h"
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

std::optional<int> emulated_lanes(std::string_view name) {
  for (int lanes : kEmulatedLanes) {
    if (name == emulator_name(lanes)) return lanes;
  }
  return std::nullopt;
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
  target.fragments = lanes == 64 ? std::vector<std::string>{"mfma_16x16x16"}
                                 : std::vector<std::string>{"mma_m16n8k16", "wmma_gfx12",
                                                            "wmma_gfx11", "wgmma_m64k16"};
  return target;
}

Fingerprint emulator_fingerprint(int lanes) {
  return {.kind = "emulator",
          .model = architecture(lanes),
          .architecture = architecture(lanes),
          .instruction_set = architecture(lanes),
          .units = runtime::usable_cpus()};
}

std::unique_ptr<Compiler> open_emulator_compiler(int lanes, const CompilerOptions& options) {
  return std::make_unique<SourceCompiler>(
      std::make_unique<ClangBackend>(emulator_target(lanes), "tile/emulator.h", flags(lanes),
                                     options.compiler),
      options.sources, options.cache_directory);
}

}  // namespace kiln::devices
