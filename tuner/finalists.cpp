#include "tuner/finalists.h"

#include <algorithm>

namespace kiln::tuner {

namespace {

constexpr size_t kFinalists = 4;
constexpr double kTie = 0.005;      // of the default's time: nearer is no gain
constexpr double kContender = 1.1;  // times the best's time: nobody slower wins a rematch

}  // namespace

void Finalists::add(Finalist finalist) {
  best_fraction_ = std::max(best_fraction_, finalist.measurement.timing.peak_fraction);
  const auto place = std::upper_bound(
      kept_.begin(), kept_.end(), finalist.time_ns,
      [](double time_ns, const Finalist& other) { return time_ns < other.time_ns; });
  kept_.insert(place, std::move(finalist));
  for (size_t i = kept_.size(); i-- > kFinalists;) {
    if (!kept_[i].is_default) kept_.erase(kept_.begin() + long(i));
  }
}

std::vector<Finalist> Finalists::take_contenders() {
  std::vector<Finalist> contenders = std::move(kept_);
  kept_.clear();
  const double best_ns = contenders.empty() ? 0 : contenders.front().time_ns;
  std::erase_if(contenders, [&](const Finalist& finalist) {
    return finalist.time_ns > kContender * best_ns && !finalist.measurement.timing.noisy &&
           !finalist.is_default;
  });
  return contenders;
}

void rank(std::vector<Finalist>& finalists) {
  const Finalist* fallback = default_among(finalists);
  const Timing reference = fallback ? fallback->measurement.timing : Timing();
  // Disturbed launches or not.
  const auto beats_default = [&](const Finalist& finalist) {
    const Timing& timing = finalist.measurement.timing;
    return fallback == nullptr || finalist.is_default ||
           (timing.p10_ns < reference.p10_ns * (1 - kTie) &&
            timing.median_ns < reference.median_ns);
  };
  std::sort(finalists.begin(), finalists.end(), [&](const Finalist& a, const Finalist& b) {
    if (beats_default(a) != beats_default(b)) return beats_default(a);
    return a.measurement.timing.p10_ns < b.measurement.timing.p10_ns;
  });
}

const Finalist* default_among(const std::vector<Finalist>& finalists) {
  const auto found = std::find_if(finalists.begin(), finalists.end(),
                                  [](const Finalist& finalist) { return finalist.is_default; });
  return found == finalists.end() ? nullptr : &*found;
}

}  // namespace kiln::tuner
