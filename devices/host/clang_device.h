// A device whose kernels are compiled by clang, in child processes, to shared objects for this
// processor.

#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "devices/device.h"
#include "devices/host/cache_directory.h"
#include "devices/host/toolchain.h"

namespace kiln::devices {

class ClangDevice : public Device {
 public:
  struct Description {
    std::string name;
    Fingerprint fingerprint;
    Target target;
    std::string lowering;            // what translation units begin with: "tile/host.h"
    std::vector<std::string> flags;  // of the compiler, as far as they shape the code
  };
  ClangDevice(Description description, DeviceOptions options);

  const std::string& name() const override { return about_.name; }
  const Fingerprint& fingerprint() const override { return about_.fingerprint; }
  const Target& target() const override { return about_.target; }
  StatusOr<std::string> toolchain() const override { return toolchain_.version(); }
  std::string code_identity(const KernelSource& source) const override;
  StatusOr<Artifact> compile(const KernelSource& source,
                             const CompileOptions& options) const override;

 private:
  struct Place {
    CacheDirectory cache;
    std::string sources;  // where the kernels' files lie
  };
  // Where to compile. The first call writes; opening a device touches no file.
  StatusOr<Place> place() const;
  std::string identity_of(const KernelSource& source, const std::string& text) const;
  std::string digest_of_includes(const std::string& header, const std::string& text) const;

  Description about_;
  DeviceOptions options_;
  Toolchain toolchain_;
  mutable std::mutex mutex_;
  mutable std::optional<Place> place_;                   // guarded by mutex_
  mutable std::map<std::string, std::string> includes_;  // digests by header; guarded by mutex_
};

}  // namespace kiln::devices
