// The compiler and linker that make host artifacts, run as child processes.
//
// Thread-safe. Programs are looked for at first use and again as long as they are missing.

#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/status.h"
#include "devices/device.h"
#include "runtime/host/instruction_set.h"

namespace kiln::devices {

class Toolchain {
 public:
  // `compiler`: path or name; empty: the first clang++ in PATH that is recent enough.
  explicit Toolchain(std::string compiler) : wanted_(std::move(compiler)) {}

  // "clang 19.1.7". UNAVAILABLE says what to install.
  StatusOr<std::string> version() const;

  // Flags that shape the code of a variant; where files lie is not among them.
  static std::vector<std::string> flags(runtime::InstructionSet set);
  // As little code as runs everywhere, for kernels whose speed does not matter.
  static std::vector<std::string> plain_flags();

  // Compiles `text` with includes from `sources`, in the folder `work`, and returns the shared
  // object's bytes. Errors as Device::compile says.
  StatusOr<std::string> compile(const std::string& text, const std::string& sources,
                                const std::string& work, const std::vector<std::string>& flags,
                                const CompileOptions& options) const;

 private:
  struct Programs {
    std::string compiler;
    std::string linker;
    std::string version;
  };
  StatusOr<Programs> programs() const;

  std::string wanted_;
  mutable std::mutex mutex_;
  mutable std::optional<Programs> found_;  // guarded by mutex_
};

}  // namespace kiln::devices
