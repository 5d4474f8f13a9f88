// What a tuning tells while it runs, and why when it comes to nothing.

#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "core/measurement.h"
#include "core/status.h"
#include "tuner/search_task.h"
#include "tuner/spending.h"
#include "tuner/tuner.h"

namespace kiln::tuner {

class SearchReport {
 public:
  using Listener = std::function<void(const Progress&)>;

  // Both outlive the report.
  SearchReport(const Listener& listener, const Spending& spending)
      : listener_(listener), spending_(spending) {}

  // To be changed by whoever has news; nobody hears of it before tell().
  Progress& progress() { return progress_; }
  // Tells at once, or at most ten times a second.
  enum class When { kNow, kSoon };
  void tell(When when);
  void enter(Progress::Phase phase);

  // Counts a variant that does not work.
  void reject(const Measurement& measurement);
  // FAILED_PRECONDITION with the commonest reason.
  Status nothing_works(const SearchTask& task) const;

 private:
  using Clock = std::chrono::steady_clock;

  const Listener& listener_;
  const Spending& spending_;
  Progress progress_;
  Clock::time_point last_{};
  std::map<Verdict, std::string> first_diagnostics_;
};

}  // namespace kiln::tuner
