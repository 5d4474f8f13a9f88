// How a search ends: the best few meet in one process, and the winner is verified on a second seed.

#pragma once

#include <vector>

#include "core/space.h"
#include "core/status.h"
#include "tuner/courtesy.h"
#include "tuner/finalists.h"
#include "tuner/problem_bench.h"
#include "tuner/search_report.h"
#include "tuner/search_task.h"
#include "tuner/spending.h"

namespace kiln::tuner {

class FinalRound {
 public:
  // All outlive it.
  FinalRound(const SearchTask& task, const Space& space, Courtesy& courtesy, SearchReport& report,
             const Spending& spending)
      : task_(task), space_(space), courtesy_(courtesy), report_(report), spending_(spending) {}

  // Best first; those that failed now are gone. Medians are comparable: one process, one time.
  StatusOr<std::vector<Finalist>> rematch(ProblemBench& bench, std::vector<Finalist> contenders);

  // The first of the ranking that passes on a second seed; null when none does. Those before it
  // have the verdict of their failure.
  StatusOr<const Finalist*> verify(std::vector<Finalist>& ranking, const PeakRates& peaks);

 private:
  // Compiles a finalist that is known from before; false when it does not compile any more.
  StatusOr<bool> make_ready(Finalist& finalist);
  Status reject(const Measurement& failed);
  void report_best(const Measurement& measurement);

  const SearchTask& task_;
  const Space& space_;
  Courtesy& courtesy_;
  SearchReport& report_;
  const Spending& spending_;
};

}  // namespace kiln::tuner
