#include "tuner/search.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tuner/final_round.h"
#include "tuner/resources.h"

namespace kiln::tuner {

namespace {

bool counts(Verdict verdict) {
  return verdict == Verdict::kOk || verdict == Verdict::kDroppedEarly;
}

}  // namespace

Search::Search(const SearchTask& task, Turn& turn, double idle_load, const PeakRates& peaks,
               const SearchReport::Listener& progress)
    : task_(task),
      turn_(turn),
      peaks_(peaks),
      spending_(task.options.budget),
      report_(progress, spending_),
      courtesy_(task, turn, idle_load, report_, spending_) {}

StatusOr<Outcome> Search::run() {
  report_.enter(Progress::Phase::kPreparing);
  KILN_RETURN_IF_ERROR(prepare());
  spending_.preparation_done();
  report_.enter(Progress::Phase::kSearching);
  KILN_RETURN_IF_ERROR(search());
  KILN_ASSIGN_OR_RETURN(Outcome outcome, finish());
  report_.enter(Progress::Phase::kDone);
  return outcome;
}

Status Search::prepare() {
  const Target& target = task_.target();
  space_.emplace(task_.family.space(task_.problem, target));
  KILN_ASSIGN_OR_RETURN(points_, space_->enumerate());
  report_.progress().space_size = int64_t(points_.size());
  const Config fallback = task_.family.default_config(task_.problem, target);
  const auto default_point = point_of(fallback);
  if (!default_point) {
    return absl::InternalError(absl::StrCat("the default configuration ", fallback.text(), " of ",
                                            task_.family.schema().family(),
                                            " is not in its space for ", task_.problem.text()));
  }
  default_point_ = *default_point;

  const TuneOptions& options = task_.options;
  StrategyOptions strategy{.seed = options.seed, .first = {default_point_}};
  for (const Config& config : options.first) {
    if (const auto point = point_of(config)) strategy.first.push_back(*point);
  }
  KILN_ASSIGN_OR_RETURN(strategy_, make_strategy(options.strategy, *space_, points_, strategy));

  BenchOptions bench{.seed = options.seed, .cache = options.cache};
  bench.threads = host_threads(target);
  bench.niceness = task_.niceness();
  KILN_ASSIGN_OR_RETURN(
      bench_, ProblemBench::make(task_.family, task_.problem, *task_.plan(fallback), target, peaks_,
                                 bench, task_.stop));
  for (const Measurement& measurement : options.known)
    learn(measurement);
  return absl::OkStatus();
}

void Search::learn(const Measurement& measurement) {
  const auto point = point_of(measurement.config);
  if (!point || !known_.insert(*point).second) return;
  // Times under another policy say nothing; failures do.
  if (counts(measurement.verdict) && measurement.cache != task_.options.cache) {
    known_.erase(*point);
    return;
  }
  if (measurement.verdict == Verdict::kOk) {
    keep_finalist(*point, measurement, Candidate{measurement.config, nullptr, nullptr});
  }
  tell(*point, measurement);
}

Status Search::search() {
  const size_t batch = std::clamp<size_t>(size_t(task_.compilers.processes()), 2, 8);
  while (!spending_.is_spent(int64_t(batch) * spending_.evaluation_cost(), finalists_)) {
    if (task_.stop.stop_requested()) return absl::CancelledError("stopped");
    const bool anything = spending_.evaluations() > 0 || !finalists_.empty();
    if (anything && strategy_->converged()) {
      converged_ = true;
      break;
    }
    const int64_t left = spending_.evaluations_left().value_or(int64_t(batch));
    const std::vector<size_t> points = strategy_->ask(std::min(batch, size_t(left)));
    if (points.empty()) {
      converged_ = true;
      break;
    }
    KILN_RETURN_IF_ERROR(evaluate(points));
  }
  return absl::OkStatus();
}

Status Search::evaluate(const std::vector<size_t>& points) {
  KILN_RETURN_IF_ERROR(courtesy_.wait());
  const auto before = spending_.elapsed();
  std::vector<KernelSource> sources;
  for (const size_t point : points)
    sources.push_back(task_.source(space_->config(points_[point])));
  turn_.lend();
  std::vector<Compiled> compiled = task_.compilers.compile(sources, task_.niceness(), task_.stop);
  turn_.reclaim();
  for (size_t i = 0; i < points.size(); ++i) {
    // What is compiled is measured even beyond the budget's end when it is the first.
    if (i > 0 && spending_.is_spent(2 * spending_.for_variant(), finalists_)) break;
    KILN_RETURN_IF_ERROR(evaluate_compiled(points[i], std::move(compiled[i])));
  }
  spending_.learn_evaluation_cost((spending_.elapsed() - before) / int64_t(points.size()));
  return absl::OkStatus();
}

Status Search::evaluate_compiled(size_t point, Compiled compiled) {
  const Config config = space_->config(points_[point]);
  if (!compiled.artifact.ok()) {
    const Status& status = compiled.artifact.status();
    if (absl::IsUnavailable(status) || absl::IsCancelled(status)) return status;
    Measurement failed = not_measured(config, Verdict::kCompileFailed, status);
    failed.compile_ms = compiled.ms;
    spending_.add_evaluation();
    return record(point, failed);
  }
  ++report_.progress().compiled;
  const auto plan = task_.plan(config);
  const Resources resources = resources_of(task_.target(), *plan, task_.problem, compiled.entries);
  if (!resources.verdict.ok()) {
    Measurement refused = not_measured(config, Verdict::kFailed, resources.verdict);
    refused.compile_ms = compiled.ms;
    refused.artifact_hash = compiled.artifact->hash;
    refused.toolchain = compiled.artifact->toolchain;
    spending_.add_evaluation();
    return record(point, refused);
  }
  KILN_RETURN_IF_ERROR(courtesy_.wait());
  Candidate candidate{.config = config,
                      .artifact = std::make_shared<const Artifact>(*std::move(compiled.artifact)),
                      .plan = plan};
  KILN_ASSIGN_OR_RETURN(Measurement measurement, measure(point, candidate));
  measurement.compile_ms = compiled.ms;
  spending_.add_evaluation();
  if (measurement.verdict == Verdict::kOk) keep_finalist(point, measurement, std::move(candidate));
  return record(point, measurement);
}

StatusOr<Measurement> Search::measure(size_t point, const Candidate& candidate) {
  TimeLimits limits{.budget = spending_.for_variant()};
  if (!finalists_.empty()) {
    limits.best_ns = finalists_.best().time_ns;
    limits.first_ns = finalists_.best().measurement.timing.median_ns;
  }
  // The default is never raced: everything else is compared with it.
  if (point == default_point_) limits.best_ns = 0;
  KILN_ASSIGN_OR_RETURN(Measurement measurement,
                        bench_->measure(task_.worker, candidate, limits, task_.stop));
  const bool best =
      measurement.verdict == Verdict::kOk &&
      (finalists_.empty() || bench_->steady_ns(measurement.timing) < finalists_.best().time_ns);
  if (!best || !measurement.timing.noisy) return measurement;
  // Too good to be believed from a disturbed measurement.
  limits.budget *= 2;
  limits.best_ns = 0;
  KILN_ASSIGN_OR_RETURN(Measurement again,
                        bench_->measure(task_.worker, candidate, limits, task_.stop));
  return counts(again.verdict) && again.timing.noisy ? measurement : again;
}

Measurement Search::not_measured(const Config& config, Verdict verdict,
                                 const Status& status) const {
  Measurement measurement;
  measurement.config = config;
  measurement.verdict = verdict;
  measurement.diagnostics = std::string(status.message());
  measurement.cache = task_.options.cache;
  measurement.code_identity = task_.device.code_identity(task_.source(config));
  measurement.unix_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
  return measurement;
}

Status Search::record(size_t point, const Measurement& measurement) {
  if (counts(measurement.verdict)) {
    ++report_.progress().measured;
  } else {
    report_.reject(measurement);
  }
  KILN_RETURN_IF_ERROR(task_.sink.record(measurement));
  tell(point, measurement);
  return absl::OkStatus();
}

void Search::tell(size_t point, const Measurement& measurement) {
  Progress& progress = report_.progress();
  std::optional<double> time_ns;
  if (counts(measurement.verdict)) time_ns = bench_->steady_ns(measurement.timing);
  strategy_->tell(point, time_ns);
  if (time_ns && point == default_point_) progress.default_ns = measurement.timing.median_ns;
  const bool improved = !finalists_.empty() && finalists_.best().point == point;
  if (improved) {
    progress.best_ns = measurement.timing.median_ns;
    progress.best_config = space_->text(measurement.config);
  }
  report_.tell(improved ? SearchReport::When::kNow : SearchReport::When::kSoon);
}

void Search::keep_finalist(size_t point, const Measurement& measurement, Candidate candidate) {
  finalists_.add({.point = point,
                  .is_default = point == default_point_,
                  .time_ns = bench_->steady_ns(measurement.timing),
                  .candidate = std::move(candidate),
                  .measurement = measurement});
}

StatusOr<Outcome> Search::finish() {
  FinalRound final_round(task_, *space_, courtesy_, report_, spending_);
  KILN_ASSIGN_OR_RETURN(std::vector<Finalist> ranking,
                        final_round.rematch(*bench_, finalists_.take_contenders()));
  Outcome outcome;
  outcome.space_size = report_.progress().space_size;
  outcome.evaluations = spending_.evaluations();
  outcome.converged = converged_;
  if (bench_->first_probe() > 0) {
    outcome.drift = bench_->last_probe() / bench_->first_probe() - 1;
  }
  peaks_ = bench_->peaks();
  bench_.reset();  // its memory is wanted for the second seed
  KILN_ASSIGN_OR_RETURN(const Finalist* winner, final_round.verify(ranking, peaks_));
  if (winner == nullptr) return report_.nothing_works(task_);
  const Finalist* fallback = default_among(ranking);
  if (fallback != nullptr && fallback->measurement.verdict == Verdict::kOk) {
    outcome.baseline = fallback->measurement;
  }
  outcome.winner = winner->measurement;
  outcome.artifact = *winner->candidate.artifact;
  outcome.plan = *winner->candidate.plan;
  outcome.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(spending_.elapsed());
  return outcome;
}

std::optional<size_t> Search::point_of(const Config& config) const {
  const auto levels = space_->levels(config);
  if (!levels) return std::nullopt;
  const auto place = std::lower_bound(points_.begin(), points_.end(), *levels);
  if (place == points_.end() || *place != *levels) return std::nullopt;
  return size_t(place - points_.begin());
}

}  // namespace kiln::tuner
