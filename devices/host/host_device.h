// This machine's processor as a device: kernels are compiled by clang in child processes.
//
// A HostDevice for an instruction set that the processor lacks compiles all the same, so that the
// code can be looked at; loading it is refused.

#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "devices/device.h"
#include "devices/host/cache_directory.h"
#include "devices/host/toolchain.h"
#include "runtime/host/instruction_set.h"

namespace kiln::devices {

class HostDevice : public Device {
 public:
  HostDevice(std::string name, runtime::InstructionSet set, DeviceOptions options);

  const std::string& name() const override { return name_; }
  const Fingerprint& fingerprint() const override { return fingerprint_; }
  const Target& target() const override { return target_; }
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

  std::string name_;
  runtime::InstructionSet set_;
  DeviceOptions options_;
  Fingerprint fingerprint_;
  Target target_;
  Toolchain toolchain_;
  mutable std::mutex mutex_;
  mutable std::optional<Place> place_;                   // guarded by mutex_
  mutable std::map<std::string, std::string> includes_;  // digests by header; guarded by mutex_
};

}  // namespace kiln::devices
