// The compiler and linker that make host artifacts, run as child processes.
//
// Thread-safe.

#pragma once

#include <string>
#include <vector>

#include "core/status.h"
#include "devices/compile/clang.h"
#include "devices/compiler.h"
#include "runtime/host/instruction_set.h"

namespace kiln::devices {

class Toolchain {
 public:
  // `compiler`: path or name; empty: the first clang++ in PATH that is recent enough.
  explicit Toolchain(std::string compiler) : clang_(std::move(compiler)) {}

  // UNAVAILABLE says what to install.
  StatusOr<Clang::Found> clang() const { return clang_.find(); }

  // Flags that shape the code of a variant; where files lie is not among them.
  static std::vector<std::string> flags(runtime::InstructionSet set);
  // As little code as runs everywhere, for kernels whose speed does not matter.
  static std::vector<std::string> plain_flags();

  // Compiles `text` with includes from `sources`, in the folder `work`, and returns the shared
  // object's bytes. Errors as Compiler::compile says.
  StatusOr<std::string> compile(const std::string& text, const std::string& sources,
                                const std::string& work, const std::vector<std::string>& flags,
                                const CompileOptions& options) const;

 private:
  Clang clang_;
};

}  // namespace kiln::devices
