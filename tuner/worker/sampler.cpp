#include "tuner/worker/sampler.h"

#include <algorithm>
#include <cmath>

#include "tuner/statistics.h"

namespace kiln::tuner::worker {

namespace {

constexpr double kSampleNs = 200'000;     // shorter launches are timed in batches
constexpr int64_t kProbeMinNs = 300'000;  // length of a probe: a quarter of a round, within bounds
constexpr int64_t kProbeMaxNs = 5'000'000;
constexpr size_t kFewSamples = 3;  // undisturbed ones, wanted within three times the budget
constexpr size_t kMinSamples = 8;  // before a narrow interval is believed
constexpr size_t kDecided = 24;    // before one of several is the fastest beyond doubt
constexpr int64_t kOverdraft = 3;  // times the budget, for the few samples

// How far behind the best, by number of samples, a variant may be without being dropped.
constexpr double kHopeless = 4.0;  // from the second sample on
constexpr double kBehind = 1.5;    // from kFewSamples on
constexpr double kSlower = 1.2;    // the tenth least disturbed, from kMinSamples on

}  // namespace

std::vector<double> Sampler::usable(const Series& series) {
  std::vector<double> all, undisturbed;
  for (const Sample& sample : series) {
    all.push_back(sample.value);
    if (!sample.disturbed) undisturbed.push_back(sample.value);
  }
  return undisturbed.size() >= kFewSamples ? undisturbed : all;
}

bool Sampler::lost(const Command& command) const {
  if (command.best_ns <= 0 || command.probe_reference <= 0 || launches_.size() != 1) return false;
  std::vector<double> times = usable(launches_[0]);
  std::sort(times.begin(), times.end());
  // A machine that is slow at the moment is no fault of the variant.
  const double slowdown = command.probe_reference / least_disturbed_rate(usable(probes_));
  const double bound = command.best_ns * slowdown;
  if (times.size() >= 2 && times.front() > kHopeless * bound) return true;
  if (times.size() >= kFewSamples && times.front() > kBehind * bound) return true;
  return times.size() >= kMinSamples && quantile(times, 0.1) > kSlower * bound;
}

// Whether more samples would tell anything that matters: the medians are known well enough or,
// where several are compared, the fastest is beyond doubt.
bool Sampler::settled(double target_width) const {
  bool narrow = true;
  size_t fewest = kMaxSamples;
  std::vector<Interval> intervals;
  for (const Series& series : launches_) {
    std::vector<double> times = usable(series);
    std::sort(times.begin(), times.end());
    fewest = std::min(fewest, times.size());
    intervals.push_back(median_interval(times));
    const double width = intervals.back().high - intervals.back().low;
    narrow = narrow && width < target_width * quantile(times, 0.5);
  }
  if (fewest < kMinSamples) return false;
  if (narrow || intervals.size() < 2 || fewest < kDecided) return narrow;
  std::sort(intervals.begin(), intervals.end(),
            [](const Interval& a, const Interval& b) { return a.high < b.high; });
  return std::all_of(intervals.begin() + 1, intervals.end(),
                     [&](const Interval& other) { return intervals[0].high < other.low; });
}

StatusOr<Samples> Sampler::run(const Command& command) {
  const int64_t start = world_.clock();
  const size_t variants = size_t(command.variants);
  launches_.assign(variants, {});
  probes_.clear();
  std::vector<int> batch(variants, 1);
  double round_ns = 0;
  for (int i = 0; i < command.variants; ++i) {
    double launch_ns = command.expected_ns;
    // An earlier launch warmed up as well; what takes a large part of the budget is not repeated.
    for (int warm_up = 0; warm_up < 2 && launch_ns * 8 < double(command.budget_ns); ++warm_up) {
      KILN_ASSIGN_OR_RETURN(const Sample first, world_.launch(i, 1, false));
      launch_ns = first.value;
    }
    batch[size_t(i)] = int(std::clamp(std::ceil(kSampleNs / launch_ns), 1.0, 10'000.0));
    round_ns += launch_ns * batch[size_t(i)];
  }
  const int64_t probe_ns = std::clamp(int64_t(round_ns / 4), kProbeMinNs, kProbeMaxNs);
  const size_t limit = size_t(std::clamp(command.max_samples, 1, kMaxSamples));
  Samples samples;
  size_t next_look = 2;
  for (size_t round = 1; round <= limit; ++round) {
    KILN_ASSIGN_OR_RETURN(const Sample probe, world_.probe(probe_ns));
    probes_.push_back(probe);
    size_t fewest = limit;  // undisturbed samples of a variant
    for (size_t k = 0; k < variants; ++k) {
      const size_t i = (k + round) % variants;  // nobody always follows the probe
      KILN_ASSIGN_OR_RETURN(const Sample sample,
                            world_.launch(int(i), batch[i], command.warm != 0));
      launches_[i].push_back(sample);
      fewest =
          std::min(fewest, size_t(std::count_if(launches_[i].begin(), launches_[i].end(),
                                                [](const Sample& s) { return !s.disturbed; })));
    }
    if (round >= next_look) {
      next_look = round + std::max<size_t>(1, round / 8);
      samples.dropped = lost(command);
      if (samples.dropped || settled(command.target_width)) break;
    }
    const int64_t allowed = command.budget_ns * (fewest < kFewSamples ? kOverdraft : 1);
    if (world_.clock() - start > allowed) break;
  }
  for (const Series& series : launches_)
    samples.launch_ns.push_back(usable(series));
  samples.probe = usable(probes_);
  return samples;
}

}  // namespace kiln::tuner::worker
