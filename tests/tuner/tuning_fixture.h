// A tuner for the trial family, on the host unless told otherwise, and what it recorded.

#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "devices/device.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/trial_family.h"
#include "tuner/tuner.h"

namespace kiln::tuner {

using testing::Behaviour;
using testing::TrialFamily;

inline std::string worker_path() {
  return std::string(KILN_BINARY_DIRECTORY) + "/bin/kiln-worker";
}

// Keeps measurements in the order they came.
class Ledger : public MeasurementSink {
 public:
  Status record(const Measurement& measurement) override {
    const std::lock_guard lock(mutex_);
    measurements_.push_back(measurement);
    return absl::OkStatus();
  }
  std::vector<Measurement> measurements() const {
    const std::lock_guard lock(mutex_);
    return measurements_;
  }
  // The last one of this behaviour; fails the test when there is none.
  Measurement of(Behaviour behaviour) const {
    const auto all = measurements();
    for (auto m = all.rbegin(); m != all.rend(); ++m) {
      if (TrialFamily::behaviour(m->config) == behaviour) return *m;
    }
    FAIL("no measurement of behaviour " << int(behaviour));
    return {};
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Measurement> measurements_;
};

// A variant that misbehaves, and what must be said of it.
struct Rejection {
  Behaviour behaviour;
  Verdict verdict;
  std::string diagnostics;  // contained in the measurement's
};

// Two that are right, and those of the cases.
inline std::vector<Behaviour> with_good_ones(std::span<const Rejection> cases) {
  std::vector<Behaviour> behaviours = {Behaviour::kSlow, Behaviour::kFast};
  for (const Rejection& c : cases)
    behaviours.push_back(c.behaviour);
  return behaviours;
}

class Tuning {
 public:
  explicit Tuning(std::vector<Behaviour> behaviours, TunerOptions options = {},
                  const std::string& device_name = "host")
      : family(std::move(behaviours)) {
    auto opened = devices::open_device(
        device_name,
        {.sources = TrialFamily::sources(), .cache_directory = scratch / "cache", .compiler = ""});
    INFO(opened.status());
    REQUIRE(opened.ok());
    device = *std::move(opened);
    options.worker_path = worker_path();
    auto started = Tuner::start(*device, options);
    INFO(started.status());
    REQUIRE(started.ok());
    tuner = *std::move(started);
  }

  // Buffers stay in the caches unless a test asks otherwise: it saves a second each.
  static TuneOptions warm() {
    TuneOptions options;
    options.cache = CachePolicy::kWarm;
    return options;
  }

  StatusOr<Outcome> tune(int64_t n, const TuneOptions& options = warm(),
                         std::stop_token stop = {}) {
    return tuner->tune(
        family, family.problem(n), options, ledger,
        [this](const Progress& p) { progress.push_back(p); }, stop);
  }

  // Tunes beside two that are right; every case must be told of as it says.
  void expect_rejections(std::span<const Rejection> cases) {
    const auto outcome = tune(50'001);
    INFO(outcome.status());
    REQUIRE(outcome.ok());
    CHECK(TrialFamily::behaviour(outcome->winner.config) == Behaviour::kFast);
    for (const Rejection& c : cases) {
      const Measurement measured = ledger.of(c.behaviour);
      INFO(family.space(family.problem(1), {}).text(measured.config)
           << ": " << name_of(measured.verdict) << ": " << measured.diagnostics);
      CHECK(measured.verdict == c.verdict);
      CHECK_THAT(measured.diagnostics, Catch::Contains(c.diagnostics));
      CHECK(measured.diagnostics.size() < 10'000);
      CHECK(progress.back().rejected.at(c.verdict) > 0);
    }
  }

  testing::ScratchDirectory scratch;
  TrialFamily family;
  std::unique_ptr<devices::Device> device;
  std::unique_ptr<Tuner> tuner;
  Ledger ledger;
  std::vector<Progress> progress;
};

}  // namespace kiln::tuner
