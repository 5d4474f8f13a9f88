#include "tuner/spending.h"

#include <algorithm>

namespace kiln::tuner {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

namespace {

constexpr nanoseconds kVariantBudget{120'000'000};
constexpr nanoseconds kLeastVariantBudget{30'000'000};
constexpr nanoseconds kRematchBudget{1'500'000'000};
constexpr milliseconds kReserve{100};

}  // namespace

void Spending::learn_evaluation_cost(Duration cost) {
  evaluation_cost_ = evaluation_cost_.count() == 0 ? cost : (3 * evaluation_cost_ + cost) / 4;
}

bool Spending::is_spent(Duration expected, const Finalists& finalists) const {
  // Something must have been tried, whatever the budget.
  if (evaluations_ == 0 && finalists.empty()) return false;
  if (budget_.evaluations && evaluations_ >= *budget_.evaluations) return true;
  if (budget_.peak_fraction && finalists.best_fraction() >= *budget_.peak_fraction) return true;
  if (!budget_.time) return false;
  // The rematch and the second seed need their part: of long launches, a few by each finalist.
  const double best_ns = finalists.empty() ? 0 : finalists.best().measurement.timing.median_ns;
  const auto launches = nanoseconds(int64_t(best_ns * 3 * double(finalists.size() + 1)));
  const auto second_seed = std::min<nanoseconds>(preparation_cost_, *budget_.time / 5);
  const auto reserve = std::max(for_rematch(), launches) + second_seed + kReserve;
  return elapsed() + reserve + expected > *budget_.time;
}

std::optional<int64_t> Spending::evaluations_left() const {
  if (!budget_.evaluations) return std::nullopt;
  return std::max<int64_t>(*budget_.evaluations - evaluations_, 0);
}

std::optional<Spending::Duration> Spending::remaining() const {
  std::optional<Duration> remaining;
  if (budget_.time) remaining = std::max<Duration>(*budget_.time - elapsed(), Duration(0));
  if (const auto left = evaluations_left(); left && evaluations_ > 0) {
    const Duration estimate = evaluation_cost_ * *left + for_rematch();
    remaining = std::min(remaining.value_or(estimate), estimate);
  }
  return remaining;
}

Spending::Duration Spending::for_variant() const {
  if (!budget_.time) return kVariantBudget;
  return std::clamp(nanoseconds(*budget_.time) / 100, kLeastVariantBudget, kVariantBudget);
}

Spending::Duration Spending::for_rematch() const {
  if (!budget_.time) return kRematchBudget;
  return std::clamp(nanoseconds(*budget_.time) / 12, 4 * kLeastVariantBudget, kRematchBudget);
}

}  // namespace kiln::tuner
