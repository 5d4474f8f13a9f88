#include "tuner/worker/sampler.h"

#include <algorithm>
#include <cmath>

#include "tuner/statistics.h"

namespace kiln::tuner::worker {

namespace {

constexpr double kSampleNs = 200'000;     // shorter launches are timed in batches
constexpr int64_t kProbeMinNs = 300'000;  // length of a probe: a quarter of a round, within bounds
constexpr int64_t kProbeMaxNs = 5'000'000;
constexpr int kFewSamples = 3;   // wanted even when the budget is spent, within three times of it
constexpr int kMinSamples = 8;   // before a narrow interval is believed
constexpr size_t kDecided = 24;  // before one of several is the fastest beyond doubt

// How far behind the best, by number of samples, a variant may be without being dropped.
constexpr double kHopeless = 3.0;  // from the first sample on
constexpr double kBehind = 1.5;    // from kFewSamples on
constexpr double kSlower = 1.2;    // the whole interval of the median, from kMinSamples on

// Whether more samples would tell anything that matters: the medians are known well enough or,
// where several are compared, the fastest is beyond doubt.
bool settled(const std::vector<std::vector<double>>& launch_ns, double target_width) {
  bool narrow = true;
  std::vector<Interval> intervals;
  for (std::vector<double> sorted : launch_ns) {
    std::sort(sorted.begin(), sorted.end());
    intervals.push_back(median_interval(sorted));
    const double width = intervals.back().high - intervals.back().low;
    narrow = narrow && width < target_width * quantile(sorted, 0.5);
  }
  if (narrow || intervals.size() < 2 || launch_ns[0].size() < kDecided) return narrow;
  std::sort(intervals.begin(), intervals.end(),
            [](const Interval& a, const Interval& b) { return a.high < b.high; });
  return std::all_of(intervals.begin() + 1, intervals.end(),
                     [&](const Interval& other) { return intervals[0].high < other.low; });
}

}  // namespace

StatusOr<double> Sampler::sample(int variant, int batch, bool warm) {
  if (warm) KILN_RETURN_IF_ERROR(launch_(variant));
  const int64_t start = clock_();
  for (int i = 0; i < batch; ++i)
    KILN_RETURN_IF_ERROR(launch_(variant));
  return double(std::max<int64_t>(clock_() - start, 1)) / batch;
}

bool Sampler::lost(const Command& command, const Samples& samples) const {
  if (command.best_ns <= 0 || command.probe_reference <= 0 || samples.launch_ns.size() != 1) {
    return false;
  }
  std::vector<double> times = samples.launch_ns[0];
  std::sort(times.begin(), times.end());
  // A machine that is slow at the moment is no fault of the variant.
  const double slowdown = command.probe_reference / median_of(samples.probe);
  const double bound = command.best_ns * slowdown;
  if (times.front() > kHopeless * bound) return true;
  if (times.size() >= kFewSamples && times.front() > kBehind * bound) return true;
  return times.size() >= kMinSamples && median_interval(times).low > kSlower * bound;
}

StatusOr<Samples> Sampler::run(const Command& command) {
  const int64_t start = clock_();
  const auto elapsed = [&] { return clock_() - start; };
  Samples samples;
  samples.launch_ns.resize(size_t(command.variants));
  std::vector<int> batch(size_t(command.variants), 1);
  double round_ns = 0;
  for (int i = 0; i < command.variants; ++i) {
    KILN_ASSIGN_OR_RETURN(const double first, sample(i, 1, false));
    double steady = first;
    if (first * 4 < double(command.budget_ns)) {  // else the launch of verification warmed up
      KILN_ASSIGN_OR_RETURN(steady, sample(i, 1, false));
    }
    batch[size_t(i)] = int(std::clamp(std::ceil(kSampleNs / steady), 1.0, 10'000.0));
    round_ns += steady * batch[size_t(i)];
  }
  const int64_t probe_ns = std::clamp(int64_t(round_ns / 4), kProbeMinNs, kProbeMaxNs);
  const int limit = std::clamp(command.max_samples, 1, kMaxSamples);
  int next_look = kMinSamples;
  for (int round = 1; round <= limit; ++round) {
    samples.probe.push_back(probe_(probe_ns));
    for (int k = 0; k < command.variants; ++k) {
      const int i = (k + round) % command.variants;  // nobody always follows the probe
      KILN_ASSIGN_OR_RETURN(const double ns, sample(i, batch[size_t(i)], command.warm != 0));
      samples.launch_ns[size_t(i)].push_back(ns);
    }
    if (lost(command, samples)) {
      samples.dropped = true;
      break;
    }
    if (elapsed() > (round < kFewSamples ? 3 : 1) * command.budget_ns) break;
    if (round >= next_look) {
      next_look = round + std::max(1, round / 8);
      if (settled(samples.launch_ns, command.target_width)) break;
    }
  }
  return samples;
}

}  // namespace kiln::tuner::worker
