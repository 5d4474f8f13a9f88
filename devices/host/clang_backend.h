// Kernels become shared objects that run on this processor, by clang and ld.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "devices/compile/backend.h"
#include "devices/host/toolchain.h"
#include "runtime/host/instruction_set.h"

namespace kiln::devices {

class ClangBackend : public Backend {
 public:
  // `flags`: of the compiler, as far as they shape the code; `compiler` as Toolchain takes it.
  ClangBackend(Target target, std::string lowering, std::vector<std::string> flags,
               std::string compiler)
      : target_(std::move(target)),
        lowering_(std::move(lowering)),
        flags_(std::move(flags)),
        toolchain_(std::move(compiler)) {}

  const Target& target() const override { return target_; }
  Lowering lowering() const override { return {.header = lowering_}; }
  std::string flags() const override;
  StatusOr<std::string> version() const override;
  StatusOr<Build> build(const BuildJob& job) const override;

 private:
  Target target_;
  std::string lowering_;
  std::vector<std::string> flags_;
  Toolchain toolchain_;
};

// "host" is this processor's best, "host:avx2" that one; nullopt for other names.
std::optional<runtime::InstructionSet> host_instruction_set(std::string_view name);

std::unique_ptr<Compiler> open_host_compiler(runtime::InstructionSet set,
                                             const CompilerOptions& options);

}  // namespace kiln::devices
