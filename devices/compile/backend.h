// What differs from target to target when a translation unit becomes machine code.

#pragma once

#include <string>
#include <vector>

#include "core/status.h"
#include "core/target.h"
#include "devices/compile/translation_unit.h"
#include "devices/compiler.h"

namespace kiln::devices {

// One translation unit to build.
struct BuildJob {
  std::string text;
  std::string sources;  // folder of the kernels' files
  std::string work;     // folder of this job alone
  CompileOptions options;
  std::vector<std::string> entries;  // as plans name them
};

struct Build {
  std::string bytes;
  std::string toolchain;
  std::vector<ResourceUse> entries;
};

// Thread-safe. Errors as Compiler::compile says.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual const Target& target() const = 0;
  virtual Lowering lowering() const = 0;
  // Everything besides the text that shapes the code of a variant; where files lie is not in it.
  virtual std::string flags() const = 0;
  virtual StatusOr<std::string> version() const = 0;
  virtual StatusOr<Build> build(const BuildJob& job) const = 0;
};

}  // namespace kiln::devices
