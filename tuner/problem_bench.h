// Measures and verifies variants on one problem: the tensors, the reference and the peaks that all
// its variants share.
//
// Not thread-safe; the caller holds the device's turn.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/artifact.h"
#include "core/family.h"
#include "core/measurement.h"
#include "core/plan.h"
#include "core/problem.h"
#include "core/status.h"
#include "core/target.h"
#include "tuner/reference.h"
#include "tuner/run_worker.h"
#include "tuner/workload.h"

namespace kiln::tuner {

// Best rates seen, by worker::Probe: f32, bf16, read, copy; 0: unknown or absent.
using PeakRates = std::array<double, 4>;

// Threads of this processor for launches on the target and for references.
int host_threads(const Target& target);
// How long a process may take to be ready for commands.
std::chrono::milliseconds load_limit(const Target& target);

struct BenchOptions {
  uint64_t seed = 1;
  CachePolicy cache = CachePolicy::kCold;
  bool timed = true;
  double reference_flops = 2e8;
  int threads = 1;
  int niceness = 0;
};

// A variant that is compiled.
struct Candidate {
  Config config;
  std::shared_ptr<const Artifact> artifact;
  std::shared_ptr<const Plan> plan;
};

struct TimeLimits {
  std::chrono::nanoseconds budget{120'000'000};  // of the samples of one variant
  double best_ns = 0;                            // steady time of the best so far; 0: no race
  double first_ns = 0;                           // about what a first launch takes; 0: unknown
};

class ProblemBench {
 public:
  // Fills the inputs and computes the reference. Errors as Workload::make and Reference::make.
  static StatusOr<std::unique_ptr<ProblemBench>> make(const Family& family, const Problem& problem,
                                                      const Plan& plan, const Target& target,
                                                      const PeakRates& peaks,
                                                      const BenchOptions& options,
                                                      std::stop_token stop);

  // Launches once, verifies, times, launches and verifies again. Every fault of the variant ends up
  // in the measurement; fields about its compilation are the caller's to fill in.
  StatusOr<Measurement> measure(RunWorker& worker, const Candidate& candidate,
                                const TimeLimits& limits, std::stop_token stop);

  // Verification alone, on every way in which optional tensors can be absent: none of them, all.
  StatusOr<Measurement> verify(RunWorker& worker, const Candidate& candidate,
                               std::chrono::milliseconds limit, std::stop_token stop);

  // Times all in one process, in turns. A timing a candidate, or the fault that ended the process.
  StatusOr<OrFault<std::vector<Timing>>> rematch(RunWorker& worker,
                                                 std::span<const Candidate> candidates,
                                                 std::chrono::nanoseconds budget,
                                                 std::stop_token stop);

  // Time of an undisturbed launch while the probe runs at the reference rate: what variants are
  // ranked by, so that neighbours and a machine that slows down for a while do not decide.
  double steady_ns(const Timing& timing) const;
  // Best rates seen so far.
  const PeakRates& peaks() const { return peaks_; }
  // Rate of the probe during the first and the last timing.
  double first_probe() const { return first_probe_; }
  double last_probe() const { return last_probe_; }

 private:
  ProblemBench(const Family& family, const Target& target, const PeakRates& peaks,
               const BenchOptions& options)
      : target_(target),
        peaks_(peaks),
        options_(options),
        cache_(options.cache),
        name_(family.name()) {}

  worker::Command time_command(std::chrono::nanoseconds budget) const;
  StatusOr<std::unique_ptr<VariantProcess>> start(RunWorker& worker,
                                                  std::span<const Candidate> candidates) const;
  // Poisons, launches, compares; what is wrong goes to `measurement`. The launch's time.
  StatusOr<double> launch_and_compare(VariantProcess& process, int variant, bool without_optional,
                                      std::chrono::milliseconds limit, Measurement& measurement,
                                      std::stop_token stop);
  StatusOr<Measurement> try_measure(RunWorker& worker, const Candidate& candidate,
                                    const TimeLimits& limits, std::stop_token stop);
  StatusOr<Measurement> try_verify(RunWorker& worker, const Candidate& candidate,
                                   std::chrono::milliseconds limit, std::stop_token stop);
  Measurement blank(const Candidate& candidate) const;
  Timing summarise(const std::vector<double>& launch_ns, const std::vector<double>& probe,
                   double target_width);
  std::chrono::milliseconds launch_limit(double first_ns) const;

  Target target_;
  PeakRates peaks_;
  BenchOptions options_;
  CachePolicy cache_;
  std::string name_;
  worker::Probe probe_ = worker::Probe::kFma;
  Cost cost_;
  std::unique_ptr<Workload> workload_;
  std::unique_ptr<Reference> reference_;
  std::unique_ptr<Reference> reference_without_optional_;  // null: the same values
  bool has_optional_ = false;
  double work_ = 0;            // FLOPs or bytes, as the probe counts
  double reference_rate_ = 0;  // of the probe; fixed, so that steady times compare
  double first_probe_ = 0;
  double last_probe_ = 0;
};

}  // namespace kiln::tuner
