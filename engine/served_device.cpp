#include "engine/served_device.h"

#include <spdlog/spdlog.h>

#include <limits>

#include "devices/compile/program.h"

namespace kiln::engine {
namespace {

// Probes keep every processor busy: not again and again because somebody asks.
constexpr std::chrono::minutes kBetweenProbes{1};

}  // namespace

std::string find_worker(const std::string& configured) {
  if (!configured.empty()) return configured;
  return devices::find_helper("kiln-worker");
}

StatusOr<std::unique_ptr<ServedDevice>> ServedDevice::open(const std::string& name,
                                                           const Catalogue& catalogue,
                                                           const EngineOptions& options) {
  std::unique_ptr<ServedDevice> served(new ServedDevice);
  KILN_ASSIGN_OR_RETURN(
      served->device_,
      devices::open_device(name, {.sources = catalogue.sources(),
                                  .cache_directory = options.state_directory + "/compile",
                                  .compiler = options.compiler}));
  served->fingerprint_text_ = served->device_->fingerprint().text();
  served->toolchain_ = served->device_->toolchain();
  tuner::TunerOptions tuner_options;
  tuner_options.worker_path = find_worker(options.worker_path);
  tuner_options.compile_processes = options.compile_processes;
  tuner_options.idle_load = options.background == Background::kAlways
                                ? std::numeric_limits<double>::infinity()
                                : options.idle_load;
  auto tuner = tuner::Tuner::start(*served->device_, tuner_options);
  if (tuner.ok()) {
    served->tuner_ = *std::move(tuner);
  } else {
    served->no_tuner_ = tuner.status();
  }
  return served;
}

StatusOr<tuner::Tuner*> ServedDevice::tuner() const {
  if (!toolchain_.ok()) return toolchain_.status();
  if (tuner_ == nullptr) return no_tuner_;
  return tuner_.get();
}

Status ServedDevice::availability() const {
  return tuner_ == nullptr ? absl::OkStatus() : tuner_->availability();
}

std::optional<tuner::Tuner::Peaks> ServedDevice::peaks() const {
  return tuner_ == nullptr ? std::nullopt : tuner_->peaks();
}

void ServedDevice::measure_peaks() const {
  if (tuner_ == nullptr) return;
  std::lock_guard lock(probing_);
  const auto now = std::chrono::steady_clock::now();
  if (probed_ && now - *probed_ < kBetweenProbes) return;
  const Status measured = tuner_->measure_peaks();
  if (!measured.ok()) spdlog::warn("peaks of {}: {}", name(), measured.ToString());
  probed_ = now;
}

std::string ServedDevice::code_identity(const Family& family, const Problem& problem,
                                        const Config& config) const {
  return device_->code_identity(family.source(problem, config, target()));
}

bool ServedDevice::is_current(const Family& family, const Problem& problem,
                              const Measurement& measurement) const {
  if (toolchain_.ok() && *toolchain_ != measurement.toolchain) return false;
  return code_identity(family, problem, measurement.config) == measurement.code_identity;
}

}  // namespace kiln::engine
