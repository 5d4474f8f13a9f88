// A device as a tuner sees it: what it is, and the compiler for it. Running is runtime/'s, timing
// is done by the tuner's workers through runtime/.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/fingerprint.h"
#include "core/status.h"
#include "core/target.h"
#include "devices/compiler.h"

namespace kiln::devices {

class Device {
 public:
  // `ordinal`: of a GPU, in its driver's order.
  Device(std::string name, Fingerprint fingerprint, std::unique_ptr<Compiler> compiler,
         std::optional<int> ordinal = {})
      : name_(std::move(name)),
        fingerprint_(std::move(fingerprint)),
        compiler_(std::move(compiler)),
        ordinal_(ordinal) {}

  const std::string& name() const { return name_; }  // "host", "host:avx2", "cuda:0"
  const Fingerprint& fingerprint() const { return fingerprint_; }
  const Compiler& compiler() const { return *compiler_; }
  std::optional<int> ordinal() const { return ordinal_; }

  // The compiler's, for short.
  const Target& target() const { return compiler_->target(); }
  StatusOr<std::string> toolchain() const { return compiler_->version(); }
  std::string code_identity(const KernelSource& source) const {
    return compiler_->code_identity(source);
  }
  StatusOr<Artifact> compile(const KernelSource& source, const CompileOptions& options) const;

 private:
  std::string name_;
  Fingerprint fingerprint_;
  std::unique_ptr<Compiler> compiler_;
  std::optional<int> ordinal_;
};

// How devices are found and compile.
using DeviceOptions = CompilerOptions;

// "host" (this processor's best instruction set) or "host:<instruction set>" (a weaker one, for
// tests and comparison; for one that the processor lacks it compiles all the same, but loading is
// refused); "emulator:warp32" or "emulator:wave64" (GPUs of that warp size, emulated: slow, and
// every access is checked); "cuda:0", "hip:1" (this machine's GPUs in their driver's order, which
// is asked in another process: UNAVAILABLE says what is missing). NOT_FOUND names the devices that
// exist.
StatusOr<std::unique_ptr<Device>> open_device(std::string_view name, const DeviceOptions& options);

// Names of the devices that work here, best first, the emulator last.
std::vector<std::string> device_names();

}  // namespace kiln::devices
