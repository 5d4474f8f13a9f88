#include "tuner/strategies/gaussian_process_search.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace kiln::tuner {
namespace {

constexpr size_t kStartingPoints = 4;
constexpr size_t kStartingDraws = 10;  // each starting point is the best of so many
constexpr double kRefitGrowth = 1.3;
constexpr size_t kMaxTraining = 256;  // beyond: the best half and a random half
constexpr size_t kMaxFitting = 128;
constexpr size_t kCandidates = 2000;    // kept between rebuilds
constexpr size_t kEnumerable = 20'000;  // above, candidates are sampled
constexpr size_t kElites = 5;           // whose neighbours join a sample
constexpr size_t kRowsBetweenRebuilds = 128;
constexpr double kNegligibleGain = 0.001;  // expected, in log time
constexpr int kHopelessSuggestions = 10;
constexpr size_t kLeastObservations = 30;

double expected_improvement(double best, double mean, double deviation) {
  const double gain = best - mean;
  const double t = gain / deviation;
  const double density = std::exp(-0.5 * t * t) / std::sqrt(2 * M_PI);
  const double probability = 0.5 * std::erfc(-t / std::sqrt(2.0));
  return gain * probability + deviation * density;
}

}  // namespace

GaussianProcessSearch::GaussianProcessSearch(const Space& space,
                                             const std::vector<std::vector<uint16_t>>& points,
                                             const StrategyOptions& options)
    : geometry_(space, points),
      process_(geometry_),
      random_(options.seed),
      first_(options.first.rbegin(), options.first.rend()),
      asked_(points.size(), false),
      unasked_(points.size()) {}

size_t GaussianProcessSearch::random_unasked() {
  size_t point = random_() % geometry_.size();
  while (asked_[point])
    point = point + 1 == geometry_.size() ? 0 : point + 1;
  return point;
}

size_t GaussianProcessSearch::starting_point() {
  size_t best = 0;
  double best_score = -1;
  for (size_t draw = 0; draw < kStartingDraws; ++draw) {
    const size_t point = random_unasked();
    double nearest = observations_.empty() ? 1.0 : std::numeric_limits<double>::infinity();
    for (const Observation& seen : observations_) {
      nearest = std::min(nearest, geometry_.rank_distance(point, seen.point));
    }
    const double score = nearest * geometry_.alignment_weight(point);
    if (score > best_score) {
      best_score = score;
      best = point;
    }
  }
  return best;
}

std::vector<double> GaussianProcessSearch::standardised() const {
  double worst = -std::numeric_limits<double>::infinity();
  for (const Observation& seen : observations_) {
    if (seen.log_time) worst = std::max(worst, *seen.log_time);
  }
  std::vector<double> values;
  for (const Observation& seen : observations_) {
    values.push_back((seen.log_time.value_or(worst) - scale_mean_) / scale_deviation_);
  }
  return values;
}

std::vector<size_t> GaussianProcessSearch::subset(size_t best, size_t random) {
  std::vector<size_t> order(observations_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (order.size() <= best + random) return order;
  const auto key = [&](size_t i) {
    return observations_[i].log_time.value_or(std::numeric_limits<double>::infinity());
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(a) < key(b); });
  for (size_t i = best; i < best + random; ++i) {
    std::swap(order[i], order[i + random_() % (order.size() - i)]);
  }
  order.resize(best + random);
  return order;
}

bool GaussianProcessSearch::model_is_due() const {
  const size_t n = observations_.size();
  const auto grown = static_cast<size_t>(kRefitGrowth * static_cast<double>(observations_at_fit_));
  return observations_at_fit_ == 0 || n >= std::max(observations_at_fit_ + 2, grown) ||
         process_.observations() + 1 >= process_.capacity();
}

void GaussianProcessSearch::rebuild_model() {
  scale_mean_ = 0;
  scale_deviation_ = 1;
  const std::vector<double> raw = standardised();
  const auto n = static_cast<double>(raw.size());
  scale_mean_ = std::accumulate(raw.begin(), raw.end(), 0.0) / n;
  double squares = 0;
  for (const double y : raw)
    squares += (y - scale_mean_) * (y - scale_mean_);
  scale_deviation_ = std::max(std::sqrt(squares / n), 1e-6);
  const std::vector<double> values = standardised();
  best_value_ = *std::min_element(values.begin(), values.end());

  const auto gather = [&](const std::vector<size_t>& chosen, std::vector<size_t>& points,
                          std::vector<double>& targets) {
    for (const size_t i : chosen) {
      points.push_back(observations_[i].point);
      targets.push_back(values[i]);
    }
  };
  std::vector<size_t> fit_points;
  std::vector<double> fit_values;
  gather(subset(kMaxFitting / 2, kMaxFitting / 2), fit_points, fit_values);
  process_.fit(fit_points, fit_values);
  observations_at_fit_ = observations_.size();

  std::vector<size_t> candidates;
  if (geometry_.size() <= kEnumerable) {
    for (size_t point = 0; point < geometry_.size(); ++point) {
      if (!asked_[point]) candidates.push_back(point);
    }
  } else {
    for (size_t i = 0; i < kCandidates && i < unasked_; ++i)
      candidates.push_back(random_unasked());
    for (const size_t i : subset(kElites, 0)) {
      for (const size_t point : geometry_.neighbours(observations_[i].point)) {
        if (!asked_[point]) candidates.push_back(point);
      }
    }
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  }

  std::vector<size_t> points;
  std::vector<double> targets;
  gather(subset(kMaxTraining / 2, kMaxTraining / 2), points, targets);
  const auto condition = [&](std::vector<size_t> wanted) {
    process_.restart(std::move(wanted), points.size() + kRowsBetweenRebuilds);
    for (size_t i = 0; i < points.size(); ++i)
      process_.add(points[i], targets[i]);
  };
  condition(candidates);
  if (candidates.size() > kCandidates) {
    std::vector<std::pair<double, size_t>> ranked;
    for (size_t i = 0; i < candidates.size(); ++i) {
      ranked.emplace_back(
          -expected_improvement(best_value_, process_.mean(i), process_.deviation(i)),
          candidates[i]);
    }
    std::nth_element(ranked.begin(), ranked.begin() + kCandidates, ranked.end());
    candidates.clear();
    for (size_t i = 0; i < kCandidates; ++i)
      candidates.push_back(ranked[i].second);
    std::sort(candidates.begin(), candidates.end());
    condition(std::move(candidates));
  }
  in_model_ = observations_.size();
}

std::optional<size_t> GaussianProcessSearch::best_candidate(double* improvement) const {
  std::optional<size_t> best;
  *improvement = -1;
  for (size_t i = 0; i < process_.candidates().size(); ++i) {
    if (asked_[process_.candidates()[i]]) continue;
    const double value = expected_improvement(best_value_, process_.mean(i), process_.deviation(i));
    if (value > *improvement) {
      *improvement = value;
      best = i;
    }
  }
  return best;
}

void GaussianProcessSearch::hand_out(size_t point, std::vector<size_t>& batch) {
  asked_[point] = true;
  --unasked_;
  batch.push_back(point);
}

std::vector<size_t> GaussianProcessSearch::ask(size_t count) {
  std::vector<size_t> batch;
  while (batch.size() < count && unasked_ > 0 && !first_.empty()) {
    const size_t point = first_.back();
    first_.pop_back();
    if (!asked_[point]) hand_out(point, batch);
  }
  const bool any_valid = std::any_of(observations_.begin(), observations_.end(),
                                     [](const Observation& o) { return o.log_time.has_value(); });
  while (batch.size() < count && unasked_ > 0 && (started_ < kStartingPoints || !any_valid)) {
    hand_out(starting_point(), batch);
    ++started_;
  }
  if (batch.size() == count || unasked_ == 0) return batch;

  if (model_is_due()) rebuild_model();
  const std::vector<double> values = standardised();
  for (; in_model_ < observations_.size(); ++in_model_) {
    process_.add(observations_[in_model_].point, values[in_model_]);
    best_value_ = std::min(best_value_, values[in_model_]);
  }
  size_t believed = 0;
  while (batch.size() < count && unasked_ > 0) {
    double improvement = 0;
    std::optional<size_t> candidate = best_candidate(&improvement);
    if (!candidate && geometry_.size() > 0) {
      if (believed > 0 || observations_at_fit_ == observations_.size()) {
        hand_out(random_unasked(), batch);
        continue;
      }
      rebuild_model();
      continue;
    }
    const size_t point = process_.candidates()[*candidate];
    const double mean = process_.mean(*candidate);
    if (improvement * scale_deviation_ < kNegligibleGain) {
      ++hopeless_suggestions_;
    } else {
      hopeless_suggestions_ = 0;
    }
    hand_out(point, batch);
    if (batch.size() < count && process_.observations() + 1 < process_.capacity()) {
      process_.add(point, mean);
      ++believed;
    }
  }
  for (; believed > 0; --believed)
    process_.remove_last();
  return batch;
}

void GaussianProcessSearch::tell(size_t point, std::optional<double> time_ns) {
  if (!asked_[point]) {  // known from elsewhere
    asked_[point] = true;
    --unasked_;
  }
  Observation observation{point, std::nullopt};
  if (time_ns) observation.log_time = std::log(std::max(*time_ns, 1e-3));
  observations_.push_back(observation);
}

bool GaussianProcessSearch::converged() const {
  return unasked_ == 0 || (hopeless_suggestions_ >= kHopelessSuggestions &&
                           observations_.size() >= kLeastObservations);
}

}  // namespace kiln::tuner
