#include "devices/compile/source_compiler.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "core/key.h"
#include "devices/compile/compiled_kernels.h"
#include "devices/compile/translation_unit.h"

namespace kiln::devices {

StatusOr<std::string> SourceCompiler::version() const {
  KILN_ASSIGN_OR_RETURN(std::string version, backend_->version());
  return with_driver(std::move(version));
}

std::string SourceCompiler::with_driver(std::string version) const {
  return driver_.empty() ? version : fmt::format("{}, {}", version, driver_);
}

std::string SourceCompiler::code_identity(const KernelSource& source) const {
  StatusOr<std::string> text = translation_unit(source, backend_->lowering(), sources_);
  // What cannot be compiled has an identity all the same: that of the reason.
  return text.ok() ? identity_of(source, *text) : digest(text.status().ToString());
}

std::string SourceCompiler::identity_of(const KernelSource& source, const std::string& text) const {
  return digest(
      fmt::format("{}\n{}\n{}", backend_->flags(), text, digest_of_includes(source.header, text)));
}

// Which files a translation unit draws in depends on its kernel's header alone. Identities are
// asked for at every lookup, the files are read through once.
std::string SourceCompiler::digest_of_includes(const std::string& header,
                                               const std::string& text) const {
  std::lock_guard lock(mutex_);
  auto [entry, fresh] = includes_.try_emplace(header);
  if (fresh) {
    std::string bytes;
    for (const std::string& file : included_files(text, sources_)) {
      const std::string& content = sources_.find(file)->second;
      bytes += fmt::format("{} {}\n{}\n", file, content.size(), content);
    }
    entry->second = digest(bytes);
  }
  return entry->second;
}

StatusOr<SourceCompiler::Place> SourceCompiler::place() const {
  std::lock_guard lock(mutex_);
  // A cache may be emptied at any time.
  std::error_code ignored;
  if (place_ && std::filesystem::exists(place_->sources, ignored)) return *place_;
  KILN_ASSIGN_OR_RETURN(CacheDirectory cache, CacheDirectory::open(cache_directory_));
  KILN_ASSIGN_OR_RETURN(std::string sources, cache.install(sources_));
  place_ = Place{std::move(cache), std::move(sources)};
  return *place_;
}

StatusOr<Compilation> SourceCompiler::compile(const KernelSource& source,
                                              const CompileOptions& options) const {
  if (options.stop.stop_requested()) return absl::CancelledError("compilation stopped");
  KILN_ASSIGN_OR_RETURN(const std::string text,
                        translation_unit(source, backend_->lowering(), sources_));
  std::string identity = identity_of(source, text);
  if (options.form == CompileOptions::Form::kMachineCode) {
    auto made = find_compiled(compiled_kernels_in(cache_directory_), identity);
    if (made) {
      made->artifact.toolchain = with_driver(std::move(made->artifact.toolchain));
      return *std::move(made);
    }
  }
  KILN_RETURN_IF_ERROR(backend_->version().status());
  KILN_ASSIGN_OR_RETURN(const Place place, this->place());
  KILN_ASSIGN_OR_RETURN(const WorkDirectory work, place.cache.make_work_directory());
  std::vector<std::string> entries;
  for (const std::string& kernel : source.entries)
    entries.push_back(entry_name(kernel));
  KILN_ASSIGN_OR_RETURN(Build build, backend_->build({.text = text,
                                                      .sources = place.sources,
                                                      .work = work.path(),
                                                      .options = options,
                                                      .entries = std::move(entries)}));
  Compilation made;
  made.artifact.bytes = std::move(build.bytes);
  made.artifact.hash = digest(made.artifact.bytes);
  made.artifact.target_kind = backend_->target().kind;
  made.artifact.architecture = backend_->target().architecture;
  made.artifact.code_identity = std::move(identity);
  made.artifact.toolchain = with_driver(std::move(build.toolchain));
  made.entries = std::move(build.entries);
  return made;
}

}  // namespace kiln::devices
