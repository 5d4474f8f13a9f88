#include "devices/host/clang_backend.h"

#include <fmt/format.h>

#include <utility>

#include "devices/compile/source_compiler.h"
#include "devices/host/processor.h"
#include "runtime/host/elf_image.h"

namespace kiln::devices {

std::string ClangBackend::flags() const {
  return fmt::format("{}", fmt::join(flags_, " "));
}

StatusOr<std::string> ClangBackend::version() const {
  KILN_ASSIGN_OR_RETURN(Clang::Found clang, toolchain_.clang());
  return std::move(clang.version);
}

StatusOr<Build> ClangBackend::build(const BuildJob& job) const {
  if (job.options.form != CompileOptions::Form::kMachineCode) {
    return invalid_field("form", "ptx", "machine code; PTX is for the targets sm_…");
  }
  Build build;
  KILN_ASSIGN_OR_RETURN(build.toolchain, version());
  KILN_ASSIGN_OR_RETURN(build.bytes,
                        toolchain_.compile(job.text, job.sources, job.work, flags_, job.options));
  // The same check as before loading, here with the variant at hand that failed it.
  KILN_RETURN_IF_ERROR(runtime::ElfImage::check(build.bytes).status());
  return build;
}

std::optional<runtime::InstructionSet> host_instruction_set(std::string_view name) {
  constexpr std::string_view kHost = "host", kPrefix = "host:";
  if (name == kHost) return runtime::best_instruction_set();
  if (!name.starts_with(kPrefix)) return std::nullopt;
  return runtime::parse_instruction_set(name.substr(kPrefix.size()));
}

std::unique_ptr<Compiler> open_host_compiler(runtime::InstructionSet set,
                                             const CompilerOptions& options) {
  return std::make_unique<SourceCompiler>(
      std::make_unique<ClangBackend>(host_target(set), "tile/host.h", Toolchain::flags(set),
                                     options.compiler),
      options.sources, options.cache_directory);
}

}  // namespace kiln::devices
