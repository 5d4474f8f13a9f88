// A device as a tuner sees it: what it is, and how to compile for it. Running is runtime/'s, timing
// is done by the tuner's workers through runtime/.

#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/artifact.h"
#include "core/fingerprint.h"
#include "core/kernel_source.h"
#include "core/status.h"
#include "core/target.h"

namespace kiln::devices {

// Files that kernels include, path (relative to templates/) to content.
using SourceTree = std::map<std::string, std::string, std::less<>>;

struct CompileOptions {
  int niceness = 0;                             // of the compiler process
  std::chrono::milliseconds cpu_limit{30'000};  // CPU time
  int64_t memory_limit = 4ll << 30;             // address space, bytes
  std::stop_token stop = {};
};

class Device {
 public:
  virtual ~Device() = default;

  virtual const std::string& name() const = 0;  // "host", "host:avx2", "cuda:0"
  virtual const Fingerprint& fingerprint() const = 0;
  virtual const Target& target() const = 0;
  // Compiler and version, "clang 19.1.7"; UNAVAILABLE says what is missing and how to install it.
  virtual StatusOr<std::string> toolchain() const = 0;

  // What identifies the code of a variant: digest of the translation unit, every file it may
  // include, and the flags. Does not compile.
  virtual std::string code_identity(const KernelSource& source) const = 0;

  // Compiles in a child process; blocks; thread-safe. Errors: FAILED_PRECONDITION with the
  // compiler's diagnostics (first 4 KiB), DEADLINE_EXCEEDED or RESOURCE_EXHAUSTED at a limit,
  // CANCELLED when stopped, UNAVAILABLE without a compiler.
  virtual StatusOr<Artifact> compile(const KernelSource& source,
                                     const CompileOptions& options) const = 0;
};

// Options by which devices are found.
struct DeviceOptions {
  SourceTree sources;           // the kernels' files
  std::string cache_directory;  // where sources and compilations may be written; mode 0700
  std::string compiler;         // of the host device; empty: look for clang++-19, clang++ in PATH
};

// "host" (this processor's best instruction set) or "host:<instruction set>" (a weaker one, for
// tests and comparison); "emulator:warp32" or "emulator:wave64" (GPUs of that warp size, emulated:
// slow, and every access is checked). NOT_FOUND names the devices that exist.
StatusOr<std::unique_ptr<Device>> open_device(std::string_view name, const DeviceOptions& options);

// Names of the devices that work here, best first, the emulator last.
std::vector<std::string> device_names();

}  // namespace kiln::devices
