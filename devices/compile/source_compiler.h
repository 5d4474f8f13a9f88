// A compiler made of a back end: translation units, identities and the folders to work in.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "devices/compile/backend.h"
#include "devices/compile/cache_directory.h"
#include "devices/compiler.h"

namespace kiln::devices {

class SourceCompiler : public Compiler {
 public:
  // Touches no file. `driver`: named behind the compiler's version, where it matters.
  SourceCompiler(std::unique_ptr<Backend> backend, SourceTree sources, std::string cache_directory,
                 std::string driver = "")
      : backend_(std::move(backend)),
        sources_(std::move(sources)),
        cache_directory_(std::move(cache_directory)),
        driver_(std::move(driver)) {}

  const Target& target() const override { return backend_->target(); }
  StatusOr<std::string> version() const override;
  std::string code_identity(const KernelSource& source) const override;
  StatusOr<Compilation> compile(const KernelSource& source,
                                const CompileOptions& options) const override;

 private:
  struct Place {
    CacheDirectory cache;
    std::string sources;  // where the kernels' files lie
  };
  // Where to compile. The first call writes.
  StatusOr<Place> place() const;
  std::string with_driver(std::string version) const;
  std::string identity_of(const KernelSource& source, const std::string& text) const;
  std::string digest_of_includes(const std::string& header, const std::string& text) const;

  std::unique_ptr<Backend> backend_;
  SourceTree sources_;
  std::string cache_directory_;
  std::string driver_;
  mutable std::mutex mutex_;
  mutable std::optional<Place> place_;                   // guarded by mutex_
  mutable std::map<std::string, std::string> includes_;  // digests by header; guarded by mutex_
};

}  // namespace kiln::devices
