// Runs a program to its end, within limits, and collects what it says.
//
// The child leads a process group of its own; the group is killed when it exceeds its time, when
// the caller stops it, when the child ends before its descendants, and when this thread dies. It
// sees an empty standard input and only the environment that is given.

#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/status.h"

namespace kiln::devices {

struct ChildLimits {
  int niceness = 0;
  std::chrono::milliseconds cpu_time{0};   // of each process, rounded up to seconds; 0: none
  std::chrono::milliseconds wall_time{0};  // 0: none
  int64_t memory_bytes = 0;                // address space of each process; 0: none
  int64_t file_bytes = 0;                  // size of each file it writes; 0: none
  size_t output_bytes = 64 << 10;          // of output that is kept
};

struct ChildCommand {
  std::vector<std::string> arguments;  // the first is the path of the program
  std::vector<std::string> environment;
  std::string directory;  // where it runs; empty: here
};

struct ChildResult {
  enum class End : uint8_t { kExited, kSignalled, kOutOfTime, kStopped };
  End end = End::kExited;
  int code = 0;        // exit code, or signal
  std::string output;  // standard output and error
};

// Blocks; thread-safe. UNAVAILABLE when the program cannot be started, with the reason.
StatusOr<ChildResult> run_child(const ChildCommand& command, const ChildLimits& limits,
                                const std::stop_token& stop);

}  // namespace kiln::devices
