// Programs that compile: where they are, and how their end becomes a Status.

#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "devices/compiler.h"

namespace kiln::devices {

// A name is looked for in PATH's absolute folders; a path must be executable.
std::optional<std::string> find_program(const std::string& name);
std::optional<std::string> find_first_program(std::span<const char* const> names);

// A program of Kiln's own: beside this one, in ../bin of a build tree, in ../libexec/kiln. Where it
// should be when it is nowhere.
std::string find_helper(std::string_view name);

// One run of a compiler, linker or disassembler as part of a job.
struct ProgramRun {
  std::string title;                   // "compiler": how messages call it
  std::vector<std::string> arguments;  // the first is the program's path
  std::string sources;                 // folders whose names are left out of messages
  std::string work;                    // where it runs
  size_t output_bytes = 64 << 10;      // of output that is kept
};

// On a busy machine a compiler gets only part of a processor: it may take this many times its limit
// of CPU time on the clock.
inline constexpr int kWallPerCpuTime = 4;

// Runs it within the limits of `options`. What it printed, when it ended well; else errors as
// Compiler::compile says.
StatusOr<std::string> run_program(const ProgramRun& run, const CompileOptions& options);

// What a program prints about itself. UNAVAILABLE when it does not run or ends with a failure.
StatusOr<std::string> ask_program(std::vector<std::string> arguments);

}  // namespace kiln::devices
