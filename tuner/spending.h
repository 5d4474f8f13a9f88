// What a tuning has spent of its budget, and what its next steps may cost. Pauses do not count.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "tuner/finalists.h"
#include "tuner/tuner.h"

namespace kiln::tuner {

class Spending {
 public:
  using Duration = std::chrono::nanoseconds;

  explicit Spending(const Budget& budget) : budget_(budget) {}

  Duration elapsed() const { return Clock::now() - start_ - paused_; }
  void add_pause(Duration pause) { paused_ += pause; }
  // Inputs and reference are there: about what those of the second seed will cost.
  void preparation_done() { preparation_cost_ = elapsed(); }
  void add_evaluation() { ++evaluations_; }
  int64_t evaluations() const { return evaluations_; }
  // `cost` of one point; it is smoothed.
  void learn_evaluation_cost(Duration cost);
  Duration evaluation_cost() const { return evaluation_cost_; }

  // Whether work that is expected to take so long would exceed the budget.
  bool is_spent(Duration expected, const Finalists& finalists) const;
  // Evaluations that the budget leaves; absent when it does not count them.
  std::optional<int64_t> evaluations_left() const;
  // Estimate; absent when the budget names neither time nor evaluations.
  std::optional<Duration> remaining() const;

  Duration for_variant() const;  // samples of one
  Duration for_rematch() const;  // samples of all finalists

 private:
  using Clock = std::chrono::steady_clock;

  Budget budget_;
  Clock::time_point start_ = Clock::now();
  Duration paused_{0};
  Duration preparation_cost_{0};
  Duration evaluation_cost_{0};
  int64_t evaluations_ = 0;
};

}  // namespace kiln::tuner
