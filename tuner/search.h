// One tuning from the space to the winner: what Tuner::tune does while it holds the device's turn.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "core/measurement.h"
#include "core/space.h"
#include "core/status.h"
#include "tuner/compile_pool.h"
#include "tuner/courtesy.h"
#include "tuner/finalists.h"
#include "tuner/problem_bench.h"
#include "tuner/search_report.h"
#include "tuner/search_task.h"
#include "tuner/spending.h"
#include "tuner/strategy.h"
#include "tuner/tuner.h"
#include "tuner/turns.h"

namespace kiln::tuner {

class Search {
 public:
  // `peaks`: best rates of the machine seen before. All arguments outlive the search.
  Search(const SearchTask& task, Turn& turn, double idle_load, const PeakRates& peaks,
         const SearchReport::Listener& progress);

  StatusOr<Outcome> run();
  // Best rates of the machine seen so far.
  const PeakRates& peaks() const { return bench_ ? bench_->peaks() : peaks_; }

 private:
  Status prepare();
  Status search();
  StatusOr<Outcome> finish();

  // Takes over a measurement from before.
  void learn(const Measurement& measurement);
  // A batch of the strategy's: compiled together, measured one by one.
  Status evaluate(const std::vector<size_t>& points);
  Status evaluate_compiled(size_t point, Compiled compiled);
  StatusOr<Measurement> measure(size_t point, const Candidate& candidate);
  // What is rejected before it runs, and why.
  Measurement not_measured(const Config& config, Verdict verdict, const Status& status) const;
  Status record(size_t point, const Measurement& measurement);
  void tell(size_t point, const Measurement& measurement);
  void keep_finalist(size_t point, const Measurement& measurement, Candidate candidate);
  std::optional<size_t> point_of(const Config& config) const;

  const SearchTask& task_;
  Turn& turn_;
  PeakRates peaks_;
  Spending spending_;
  SearchReport report_;
  Courtesy courtesy_;

  std::optional<Space> space_;
  std::vector<std::vector<uint16_t>> points_;
  size_t default_point_ = 0;
  std::unique_ptr<Strategy> strategy_;
  std::set<size_t> known_;
  std::unique_ptr<ProblemBench> bench_;
  Finalists finalists_;
  bool converged_ = false;
};

}  // namespace kiln::tuner
