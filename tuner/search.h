// One tuning from the space to the winner: what Tuner::tune does while it holds the device's turn.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "core/family.h"
#include "core/measurement.h"
#include "core/problem.h"
#include "core/space.h"
#include "devices/device.h"
#include "tuner/compile_pool.h"
#include "tuner/load_meter.h"
#include "tuner/problem_bench.h"
#include "tuner/run_worker.h"
#include "tuner/strategy.h"
#include "tuner/tuner.h"
#include "tuner/turns.h"

namespace kiln::tuner {

// What all tunings on a device share.
struct SearchContext {
  const devices::Device& device;
  RunWorker& worker;
  const CompilePool& compilers;
  PeakRates peaks;
  double idle_load = 0.25;
};

class Search {
 public:
  Search(const SearchContext& context, const Family& family, const Problem& problem,
         const TuneOptions& options, MeasurementSink& sink,
         const std::function<void(const Progress&)>& progress, std::stop_token stop);

  StatusOr<Outcome> run(Turn& turn);
  // Best rates of the machine seen so far.
  const PeakRates& peaks() const { return bench_ ? bench_->peaks() : context_.peaks; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Finalist {
    size_t point = 0;
    double time_ns = 0;   // steady
    Candidate candidate;  // without artifact: known from before, not compiled now
    Measurement measurement;
  };

  Status prepare();
  Status search();
  StatusOr<Outcome> finish();

  // Takes over a measurement from before.
  void learn(const Measurement& measurement);
  // A batch of the strategy's: compiled together, measured one by one.
  Status evaluate(const std::vector<size_t>& points);
  Status evaluate_compiled(size_t point, Compiled compiled);
  Status record(size_t point, const Measurement& measurement);
  void tell(size_t point, const Measurement& measurement);
  void keep_finalist(size_t point, const Measurement& measurement, Candidate candidate);
  // Compiles a finalist that is known from before; false when it does not compile any more.
  StatusOr<bool> make_ready(Finalist& finalist);
  StatusOr<std::vector<Finalist>> rematch(std::vector<Finalist> finalists);

  // Lets more urgent callers go first and, in the background, waits until the machine is idle.
  // The time does not count.
  Status pause_for_others();
  // Whether work that is expected to take so long would exceed the budget.
  bool budget_spent(std::chrono::nanoseconds expected) const;
  void report(bool now);
  Clock::duration elapsed() const { return Clock::now() - start_ - paused_; }
  std::chrono::nanoseconds variant_budget() const;
  std::chrono::nanoseconds rematch_budget() const;
  std::optional<size_t> point_of(const Config& config) const;
  KernelSource source_of(const Config& config) const;
  int niceness() const { return options_.priority == Priority::kBackground ? 19 : 0; }
  Status nothing_works() const;

  SearchContext context_;
  const Family& family_;
  Problem problem_;
  const TuneOptions& options_;
  MeasurementSink& sink_;
  const std::function<void(const Progress&)>& progress_callback_;
  std::stop_token stop_;
  LoadMeter load_;
  Turn* turn_ = nullptr;

  std::optional<Space> space_;
  std::vector<std::vector<uint16_t>> points_;
  size_t default_point_ = 0;
  std::unique_ptr<Strategy> strategy_;
  std::set<size_t> known_;
  std::unique_ptr<ProblemBench> bench_;
  std::vector<Finalist> finalists_;  // best first; the default is kept in any case
  Progress progress_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_report_{};
  Clock::duration paused_{0};
  Clock::duration preparation_cost_{0};  // of inputs and reference
  Clock::duration evaluation_cost_{0};   // smoothed, of one point
  int64_t evaluations_ = 0;
  bool converged_ = false;
  double best_fraction_ = 0;
  std::map<Verdict, std::string> first_diagnostics_;
};

}  // namespace kiln::tuner
