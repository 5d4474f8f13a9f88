// Tuning of one problem on one device: enumerate, compile, verify, measure, race, rematch.
//
// The tuner knows families only through core/family.h, runs every variant in a worker process (see
// run_worker.h) and gives every measurement to a sink as it is made.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/artifact.h"
#include "core/family.h"
#include "core/measurement.h"
#include "core/plan.h"
#include "core/problem.h"
#include "core/status.h"
#include "devices/device.h"

namespace kiln::tuner {

// Whatever is reached first ends the search; without any, the strategy's own stop rule does.
struct Budget {
  std::optional<std::chrono::milliseconds> time;
  std::optional<int64_t> evaluations;
  std::optional<double> peak_fraction;  // stop once the best reaches this part of the peak
};

enum class Priority : uint8_t { kForeground, kBackground };

struct TuneOptions {
  Budget budget;
  std::string strategy = "default";
  uint64_t seed = 1;
  CachePolicy cache = CachePolicy::kCold;
  Priority priority = Priority::kForeground;
  std::vector<Config> first;       // tried right after the default
  std::vector<Measurement> known;  // measured before (same code): not measured again
};

struct Progress {
  enum class Phase : uint8_t { kPreparing, kSearching, kRematch, kVerifying, kDone };
  Phase phase = Phase::kPreparing;
  int64_t space_size = 0;
  int64_t compiled = 0;
  int64_t measured = 0;  // with a verdict of ok or dropped early
  std::map<Verdict, int64_t> rejected;
  double default_ns = 0;  // 0: not measured yet
  double best_ns = 0;
  std::string best_config;  // Space::text
  std::chrono::milliseconds elapsed{0};
  std::optional<std::chrono::milliseconds> remaining;  // estimate
  bool waiting_for_idle = false;                       // background work held back by load
};
std::string_view name_of(Progress::Phase phase);

struct Outcome {
  Measurement winner;  // verified on two seeds
  Artifact artifact;   // its code
  Plan plan;
  std::optional<Measurement> baseline;  // the default in the rematch; absent if it failed
  int64_t evaluations = 0;
  int64_t space_size = 0;
  std::chrono::milliseconds elapsed{0};
  bool converged = false;  // ended by the stop rule or an exhausted space
  double drift = 0;        // relative change of the machine between start and end
};

struct TunerOptions {
  std::string worker_path;    // the kiln-worker executable
  int compile_processes = 0;  // at once; 0: usable processors
  double idle_load = 0.25;    // background measures only below this load a processor
};

// A variant compiled and checked on a probe problem: what a stand-in needs before it is served.
struct Checked {
  Artifact artifact;
  Plan plan;
  Measurement measurement;
};

class Tuner {
 public:
  // Starts the worker. UNAVAILABLE when the worker executable is missing or does not answer.
  static StatusOr<std::unique_ptr<Tuner>> start(const devices::Device& device,
                                                const TunerOptions& options);
  virtual ~Tuner() = default;

  // Blocks. Errors: CANCELLED when stopped (measurements so far are in the sink),
  // FAILED_PRECONDITION when no variant works (with the commonest reason), RESOURCE_EXHAUSTED when
  // the buffers do not fit the device's memory, UNAVAILABLE without compiler or worker. Calls take
  // turns for the device; foreground before background.
  virtual StatusOr<Outcome> tune(const Family& family, const Problem& problem,
                                 const TuneOptions& options, MeasurementSink& sink,
                                 const std::function<void(const Progress&)>& progress,
                                 std::stop_token stop) = 0;

  // In check()'s message for what a search would prune.
  static constexpr std::string_view kDoesNotFit = "does not fit the device";
  // Compiles one variant and verifies it on the family's probe problem; goes before background
  // work.
  virtual StatusOr<Checked> check(const Family& family, const Problem& problem,
                                  const Config& config, std::stop_token stop) = 0;

  // The machine's peaks with all threads: FLOP/s of f32 FMA, of bf16 products (0: none in
  // hardware), bytes/s of a read and of a copy beyond the last-level cache.
  struct Peaks {
    double f32_flops = 0;
    double bf16_flops = 0;
    double read_bytes = 0;
    double copy_bytes = 0;
  };
  // The best that any probe saw: probes beside other work show too little, later ones correct them.
  // Nothing before the first. Thread-safe, does not wait.
  virtual std::optional<Peaks> peaks() const = 0;
  // Probes now; takes half a second, and a turn like check().
  virtual Status measure_peaks() = 0;

  // OK, or why the device did not work when it was last used: it is tried again ten seconds later,
  // until then calls fail with this. Thread-safe, does not wait.
  virtual Status availability() const = 0;
};

}  // namespace kiln::tuner
