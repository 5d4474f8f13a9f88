#include "devices/host/clang_device.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "core/key.h"
#include "devices/host/translation_unit.h"
#include "runtime/host/elf_image.h"

namespace kiln::devices {

ClangDevice::ClangDevice(Description description, DeviceOptions options)
    : about_(std::move(description)), options_(std::move(options)), toolchain_(options_.compiler) {}

std::string ClangDevice::code_identity(const KernelSource& source) const {
  StatusOr<std::string> text = translation_unit(source, options_.sources, about_.lowering);
  // What cannot be compiled has an identity all the same: that of the reason.
  return text.ok() ? identity_of(source, *text) : digest(text.status().ToString());
}

std::string ClangDevice::identity_of(const KernelSource& source, const std::string& text) const {
  return digest(fmt::format("{}\n{}\n{}", fmt::join(about_.flags, " "), text,
                            digest_of_includes(source.header, text)));
}

// Which files a translation unit draws in depends on its kernel's header alone. Identities are
// asked for at every lookup, the files are read through once.
std::string ClangDevice::digest_of_includes(const std::string& header,
                                            const std::string& text) const {
  std::lock_guard lock(mutex_);
  auto [entry, fresh] = includes_.try_emplace(header);
  if (fresh) {
    std::string bytes;
    for (const std::string& file : included_files(text, options_.sources)) {
      const std::string& content = options_.sources.find(file)->second;
      bytes += fmt::format("{} {}\n{}\n", file, content.size(), content);
    }
    entry->second = digest(bytes);
  }
  return entry->second;
}

StatusOr<ClangDevice::Place> ClangDevice::place() const {
  std::lock_guard lock(mutex_);
  // A cache may be emptied at any time.
  std::error_code ignored;
  if (place_ && std::filesystem::exists(place_->sources, ignored)) return *place_;
  KILN_ASSIGN_OR_RETURN(CacheDirectory cache, CacheDirectory::open(options_.cache_directory));
  KILN_ASSIGN_OR_RETURN(std::string sources, cache.install(options_.sources));
  place_ = Place{std::move(cache), std::move(sources)};
  return *place_;
}

StatusOr<Artifact> ClangDevice::compile(const KernelSource& source,
                                        const CompileOptions& options) const {
  if (options.stop.stop_requested()) return absl::CancelledError("compilation stopped");
  KILN_ASSIGN_OR_RETURN(const std::string text,
                        translation_unit(source, options_.sources, about_.lowering));
  KILN_ASSIGN_OR_RETURN(std::string toolchain, toolchain_.version());
  KILN_ASSIGN_OR_RETURN(const Place place, this->place());
  KILN_ASSIGN_OR_RETURN(const WorkDirectory work, place.cache.make_work_directory());
  Artifact artifact;
  KILN_ASSIGN_OR_RETURN(
      artifact.bytes, toolchain_.compile(text, place.sources, work.path(), about_.flags, options));
  // The same check as before loading, here with the variant at hand that failed it.
  KILN_RETURN_IF_ERROR(runtime::ElfImage::check(artifact.bytes).status());
  artifact.hash = digest(artifact.bytes);
  artifact.target_kind = about_.target.kind;
  artifact.architecture = about_.target.architecture;
  artifact.code_identity = identity_of(source, text);
  artifact.toolchain = std::move(toolchain);
  return artifact;
}

}  // namespace kiln::devices
