// A device with its tuner, as an engine serves it. Thread-safe after opening.

#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/family.h"
#include "core/problem.h"
#include "core/status.h"
#include "devices/device.h"
#include "engine/catalogue.h"
#include "engine/engine.h"
#include "tuner/tuner.h"

namespace kiln::engine {

class ServedDevice {
 public:
  // Opens the device. A missing compiler or worker is no error: known winners can be served.
  static StatusOr<std::unique_ptr<ServedDevice>> open(const std::string& name,
                                                      const Catalogue& catalogue,
                                                      const EngineOptions& options);

  const std::string& name() const { return device_->name(); }
  const Fingerprint& fingerprint() const { return device_->fingerprint(); }
  const std::string& fingerprint_text() const { return fingerprint_text_; }
  const Target& target() const { return device_->target(); }
  const devices::Device& device() const { return *device_; }

  // Compiler and version, or what is missing.
  const StatusOr<std::string>& toolchain() const { return toolchain_; }
  // The tuner, or why there is none.
  StatusOr<tuner::Tuner*> tuner() const;

  // OK, or why the device did not work when it was last used.
  Status availability() const;
  // The machine's peaks as far as they are known.
  std::optional<tuner::Tuner::Peaks> peaks() const;
  // Probes again, unless that was done within the last minute.
  void measure_peaks() const;

  // What a compilation of this config would be told apart by today.
  std::string code_identity(const Family& family, const Problem& problem,
                            const Config& config) const;
  // Whether the measurement is of the code and toolchain of today. Without a compiler only the code
  // is compared.
  bool is_current(const Family& family, const Problem& problem,
                  const Measurement& measurement) const;

 private:
  ServedDevice() = default;

  std::unique_ptr<devices::Device> device_;
  std::string fingerprint_text_;
  StatusOr<std::string> toolchain_;
  std::unique_ptr<tuner::Tuner> tuner_;
  Status no_tuner_;
  mutable std::mutex probing_;
  mutable std::optional<std::chrono::steady_clock::time_point> probed_;
};

// The worker's executable: `configured`, else beside this program, else where it is installed.
std::string find_worker(const std::string& configured);

}  // namespace kiln::engine
