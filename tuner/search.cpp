#include "tuner/search.h"

#include <sys/resource.h>

#include <algorithm>
#include <thread>

#include "absl/strings/str_cat.h"

namespace kiln::tuner {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

namespace {

constexpr milliseconds kReportInterval{100};
constexpr size_t kFinalists = 4;
constexpr nanoseconds kVariantBudget{120'000'000};
constexpr nanoseconds kLeastVariantBudget{30'000'000};
constexpr nanoseconds kRematchBudget{1'500'000'000};
constexpr milliseconds kIdlePoll{250};
constexpr double kTie = 0.005;                // of the default's time: nearer is no gain
constexpr double kFinalReferenceFlops = 1e9;  // with twenty seconds or more
constexpr double kLeastReferenceFlops = 2e8;
constexpr double kContender = 1.1;  // times the best's time: nobody slower wins a rematch
constexpr milliseconds kVerifyLimit{60'000};
constexpr uint64_t kSecondSeed = 0x9E3779B97F4A7C15;

nanoseconds own_cpu_time(const RunWorker& worker) {
  nanoseconds total = worker.cpu_time();
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage = {};
    getrusage(who, &usage);
    for (const timeval& time : {usage.ru_utime, usage.ru_stime}) {
      total += std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
    }
  }
  return total;
}

bool counts(Verdict verdict) {
  return verdict == Verdict::kOk || verdict == Verdict::kDroppedEarly;
}

}  // namespace

Search::Search(const SearchContext& context, const Family& family, const Problem& problem,
               const TuneOptions& options, MeasurementSink& sink,
               const std::function<void(const Progress&)>& progress, std::stop_token stop)
    : context_(context),
      family_(family),
      problem_(problem),
      options_(options),
      sink_(sink),
      progress_callback_(progress),
      stop_(stop),
      load_([worker = &context.worker] { return own_cpu_time(*worker); }) {}

StatusOr<Outcome> Search::run(Turn& turn) {
  turn_ = &turn;
  report(true);
  KILN_RETURN_IF_ERROR(prepare());
  preparation_cost_ = elapsed();
  progress_.phase = Progress::Phase::kSearching;
  report(true);
  KILN_RETURN_IF_ERROR(search());
  KILN_ASSIGN_OR_RETURN(Outcome outcome, finish());
  progress_.phase = Progress::Phase::kDone;
  report(true);
  return outcome;
}

Status Search::prepare() {
  const Target& target = context_.device.target();
  KILN_RETURN_IF_ERROR(context_.device.toolchain().status());
  space_.emplace(family_.space(problem_, target));
  KILN_ASSIGN_OR_RETURN(points_, space_->enumerate());
  progress_.space_size = int64_t(points_.size());
  const Config fallback = family_.default_config(problem_, target);
  const auto default_point = point_of(fallback);
  if (!default_point) {
    return absl::InternalError(absl::StrCat("the default configuration ", fallback.text(), " of ",
                                            family_.schema().family(), " is not in its space for ",
                                            problem_.text()));
  }
  default_point_ = *default_point;

  StrategyOptions strategy{.seed = options_.seed, .first = {default_point_}};
  for (const Config& config : options_.first) {
    if (const auto point = point_of(config)) strategy.first.push_back(*point);
  }
  KILN_ASSIGN_OR_RETURN(strategy_, make_strategy(options_.strategy, *space_, points_, strategy));

  BenchOptions bench{.seed = options_.seed, .cache = options_.cache};
  bench.threads = target.threads;
  bench.niceness = niceness();
  KILN_ASSIGN_OR_RETURN(
      bench_, ProblemBench::make(family_, problem_, family_.plan(problem_, fallback, target),
                                 target, context_.peaks, bench, stop_));
  for (const Measurement& measurement : options_.known)
    learn(measurement);
  return absl::OkStatus();
}

void Search::learn(const Measurement& measurement) {
  const auto point = point_of(measurement.config);
  if (!point || !known_.insert(*point).second) return;
  // Times under another policy say nothing; failures do.
  if (counts(measurement.verdict) && measurement.cache != options_.cache) {
    known_.erase(*point);
    return;
  }
  if (measurement.verdict == Verdict::kOk) {
    keep_finalist(*point, measurement, Candidate{measurement.config, nullptr, nullptr});
  }
  tell(*point, measurement);
}

Status Search::search() {
  const size_t batch = std::clamp<size_t>(size_t(context_.compilers.processes()), 2, 8);
  while (!budget_spent(int64_t(batch) * evaluation_cost_)) {
    if (stop_.stop_requested()) return absl::CancelledError("stopped");
    if ((evaluations_ > 0 || !finalists_.empty()) && strategy_->converged()) {
      converged_ = true;
      break;
    }
    size_t count = batch;
    if (options_.budget.evaluations) {
      count = std::min<size_t>(count, size_t(*options_.budget.evaluations - evaluations_));
    }
    const std::vector<size_t> points = strategy_->ask(count);
    if (points.empty()) {
      converged_ = true;
      break;
    }
    KILN_RETURN_IF_ERROR(evaluate(points));
  }
  return absl::OkStatus();
}

Status Search::evaluate(const std::vector<size_t>& points) {
  KILN_RETURN_IF_ERROR(pause_for_others());
  const auto start = Clock::now();
  const auto paused_before = paused_;
  std::vector<KernelSource> sources;
  for (const size_t point : points)
    sources.push_back(source_of(space_->config(points_[point])));
  turn_->lend();
  std::vector<Compiled> compiled = context_.compilers.compile(sources, niceness(), stop_);
  turn_->reclaim();
  for (size_t i = 0; i < points.size(); ++i) {
    // What is compiled is measured even beyond the budget's end when it is the first.
    if (i > 0 && budget_spent(2 * variant_budget())) break;
    KILN_RETURN_IF_ERROR(evaluate_compiled(points[i], std::move(compiled[i])));
  }
  const auto cost = (Clock::now() - start - (paused_ - paused_before)) / int64_t(points.size());
  evaluation_cost_ = evaluation_cost_.count() == 0 ? cost : (3 * evaluation_cost_ + cost) / 4;
  return absl::OkStatus();
}

Status Search::evaluate_compiled(size_t point, Compiled compiled) {
  const Config config = space_->config(points_[point]);
  Measurement measurement;
  measurement.config = config;
  if (!compiled.artifact.ok()) {
    const Status& status = compiled.artifact.status();
    if (absl::IsUnavailable(status) || absl::IsCancelled(status)) return status;
    measurement.verdict = Verdict::kCompileFailed;
    measurement.diagnostics = std::string(status.message());
    measurement.cache = options_.cache;
    measurement.code_identity = context_.device.code_identity(source_of(config));
    measurement.unix_ns =
        duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    measurement.compile_ms = compiled.ms;
    ++evaluations_;
    return record(point, measurement);
  }
  ++progress_.compiled;
  KILN_RETURN_IF_ERROR(pause_for_others());
  Candidate candidate{.config = config,
                      .artifact = std::make_shared<const Artifact>(*std::move(compiled.artifact)),
                      .plan = std::make_shared<const Plan>(
                          family_.plan(problem_, config, context_.device.target()))};
  TimeLimits limits{.budget = variant_budget()};
  if (!finalists_.empty()) {
    limits.best_ns = finalists_.front().time_ns;
    limits.first_ns = finalists_.front().measurement.timing.median_ns;
  }
  // The default is never raced: everything else is compared with it.
  if (point == default_point_) limits.best_ns = 0;
  KILN_ASSIGN_OR_RETURN(measurement, bench_->measure(context_.worker, candidate, limits, stop_));
  const bool best =
      measurement.verdict == Verdict::kOk &&
      (finalists_.empty() || bench_->steady_ns(measurement.timing) < finalists_.front().time_ns);
  if (best && measurement.timing.noisy) {
    // Too good to be believed from a disturbed measurement.
    limits.budget *= 2;
    limits.best_ns = 0;
    KILN_ASSIGN_OR_RETURN(Measurement again,
                          bench_->measure(context_.worker, candidate, limits, stop_));
    if (!counts(again.verdict) || !again.timing.noisy) measurement = std::move(again);
  }
  measurement.compile_ms = compiled.ms;
  ++evaluations_;
  if (measurement.verdict == Verdict::kOk) keep_finalist(point, measurement, std::move(candidate));
  return record(point, measurement);
}

Status Search::record(size_t point, const Measurement& measurement) {
  if (counts(measurement.verdict)) {
    ++progress_.measured;
  } else {
    ++progress_.rejected[measurement.verdict];
    first_diagnostics_.emplace(measurement.verdict, measurement.diagnostics);
  }
  KILN_RETURN_IF_ERROR(sink_.record(measurement));
  tell(point, measurement);
  return absl::OkStatus();
}

void Search::tell(size_t point, const Measurement& measurement) {
  std::optional<double> time_ns;
  if (counts(measurement.verdict)) time_ns = bench_->steady_ns(measurement.timing);
  strategy_->tell(point, time_ns);
  if (time_ns && point == default_point_) progress_.default_ns = measurement.timing.median_ns;
  bool improved = false;
  if (!finalists_.empty() && finalists_.front().point == point) {
    improved = true;
    progress_.best_ns = measurement.timing.median_ns;
    progress_.best_config = space_->text(measurement.config);
  }
  report(improved);
}

void Search::keep_finalist(size_t point, const Measurement& measurement, Candidate candidate) {
  best_fraction_ = std::max(best_fraction_, measurement.timing.peak_fraction);
  Finalist finalist{.point = point,
                    .time_ns = bench_->steady_ns(measurement.timing),
                    .candidate = std::move(candidate),
                    .measurement = measurement};
  const auto place = std::upper_bound(
      finalists_.begin(), finalists_.end(), finalist.time_ns,
      [](double time_ns, const Finalist& other) { return time_ns < other.time_ns; });
  finalists_.insert(place, std::move(finalist));
  // The best few and the default.
  for (size_t i = finalists_.size(); i-- > kFinalists;) {
    if (finalists_[i].point != default_point_) finalists_.erase(finalists_.begin() + long(i));
  }
}

StatusOr<bool> Search::make_ready(Finalist& finalist) {
  if (finalist.candidate.artifact) return true;
  const KernelSource source = source_of(finalist.candidate.config);
  std::vector<Compiled> compiled = context_.compilers.compile({&source, 1}, niceness(), stop_);
  const Status& status = compiled[0].artifact.status();
  if (absl::IsUnavailable(status) || absl::IsCancelled(status)) return status;
  if (!status.ok()) return false;
  ++progress_.compiled;
  finalist.measurement.compile_ms = compiled[0].ms;
  finalist.candidate.artifact = std::make_shared<const Artifact>(*std::move(compiled[0].artifact));
  finalist.candidate.plan = std::make_shared<const Plan>(
      family_.plan(problem_, finalist.candidate.config, context_.device.target()));
  return true;
}

// Best first; those that failed now are gone. Medians are comparable: one process, one time.
StatusOr<std::vector<Search::Finalist>> Search::rematch(std::vector<Finalist> finalists) {
  progress_.phase = Progress::Phase::kRematch;
  report(true);
  KILN_RETURN_IF_ERROR(pause_for_others());
  const double best_ns = finalists.empty() ? 0 : finalists.front().time_ns;
  std::vector<Finalist> ready;
  for (Finalist& finalist : finalists) {
    const bool contends = finalist.time_ns <= kContender * best_ns ||
                          finalist.measurement.timing.noisy || finalist.point == default_point_;
    if (!contends) continue;
    KILN_ASSIGN_OR_RETURN(const bool compiled, make_ready(finalist));
    if (compiled) ready.push_back(std::move(finalist));
  }
  int losses = 0;
  while (!ready.empty()) {
    std::vector<Candidate> candidates;
    for (const Finalist& finalist : ready)
      candidates.push_back(finalist.candidate);
    auto timed = bench_->rematch(context_.worker, candidates, rematch_budget(), stop_);
    if (absl::IsUnavailable(timed.status()) && losses++ == 0) continue;  // the worker was killed
    KILN_RETURN_IF_ERROR(timed.status());
    if (const auto* fault = std::get_if<Fault>(&*timed)) {
      // Worked before, failed now: out, and known as such.
      const size_t index = size_t(std::clamp<int>(fault->variant, 0, int(ready.size()) - 1));
      Measurement failed = ready[index].measurement;
      failed.verdict = fault->verdict;
      failed.diagnostics = absl::StrCat("in the rematch: ", fault->diagnostics);
      KILN_RETURN_IF_ERROR(sink_.record(failed));
      ++progress_.rejected[failed.verdict];
      first_diagnostics_.emplace(failed.verdict, failed.diagnostics);
      ready.erase(ready.begin() + long(index));
      continue;
    }
    const auto& timings = std::get<std::vector<Timing>>(*timed);
    for (size_t i = 0; i < ready.size(); ++i) {
      Measurement& measurement = ready[i].measurement;
      measurement.timing = timings[i];
      const Artifact& artifact = *ready[i].candidate.artifact;
      measurement.artifact_hash = artifact.hash;
      measurement.code_identity = artifact.code_identity;
      measurement.toolchain = artifact.toolchain;
    }
    break;
  }
  const Finalist* fallback = nullptr;
  for (const Finalist& finalist : ready) {
    if (finalist.point == default_point_) fallback = &finalist;
  }
  if (fallback != nullptr) {
    progress_.default_ns = fallback->measurement.timing.median_ns;
    // Who does not beat the default, disturbed launches or not, stands behind it.
    const Timing reference = fallback->measurement.timing;
    const auto beats = [&](const Finalist& f) {
      const Timing& timing = f.measurement.timing;
      return f.point == default_point_ || (timing.p10_ns < reference.p10_ns * (1 - kTie) &&
                                           timing.median_ns < reference.median_ns);
    };
    std::sort(ready.begin(), ready.end(), [&](const Finalist& a, const Finalist& b) {
      if (beats(a) != beats(b)) return beats(a);
      return a.measurement.timing.p10_ns < b.measurement.timing.p10_ns;
    });
  } else {
    std::sort(ready.begin(), ready.end(), [](const Finalist& a, const Finalist& b) {
      return a.measurement.timing.p10_ns < b.measurement.timing.p10_ns;
    });
  }
  if (!ready.empty()) {
    progress_.best_ns = ready.front().measurement.timing.median_ns;
    progress_.best_config = space_->text(ready.front().measurement.config);
  }
  return ready;
}

StatusOr<Outcome> Search::finish() {
  KILN_ASSIGN_OR_RETURN(std::vector<Finalist> ranking, rematch(std::move(finalists_)));
  if (ranking.empty()) return nothing_works();
  Outcome outcome;
  outcome.space_size = progress_.space_size;
  outcome.evaluations = evaluations_;
  outcome.converged = converged_;
  if (bench_->first_probe() > 0) {
    outcome.drift = bench_->last_probe() / bench_->first_probe() - 1;
  }
  for (const Finalist& finalist : ranking) {
    if (finalist.point == default_point_) outcome.baseline = finalist.measurement;
  }

  progress_.phase = Progress::Phase::kVerifying;
  report(true);
  context_.peaks = bench_->peaks();
  bench_.reset();  // its memory is wanted for the second seed
  BenchOptions options{.seed = options_.seed ^ kSecondSeed, .cache = options_.cache};
  options.timed = false;
  options.reference_flops = kFinalReferenceFlops;
  if (options_.budget.time) {
    const double part = std::chrono::duration<double>(*options_.budget.time).count() / 20;
    options.reference_flops =
        std::clamp(part * kFinalReferenceFlops, kLeastReferenceFlops, kFinalReferenceFlops);
  }
  options.threads = context_.device.target().threads;
  options.niceness = niceness();
  const Plan& plan = *ranking.front().candidate.plan;
  KILN_ASSIGN_OR_RETURN(auto bench,
                        ProblemBench::make(family_, problem_, plan, context_.device.target(),
                                           context_.peaks, options, stop_));
  for (Finalist& finalist : ranking) {
    KILN_RETURN_IF_ERROR(pause_for_others());
    KILN_ASSIGN_OR_RETURN(const Measurement second,
                          bench->verify(context_.worker, finalist.candidate, kVerifyLimit, stop_));
    Measurement& winner = finalist.measurement;
    Verification& sum = winner.verification;
    if (second.verdict != Verdict::kOk) {
      winner.verdict = second.verdict;
      winner.diagnostics = absl::StrCat("on the second seed: ", second.diagnostics);
      KILN_RETURN_IF_ERROR(sink_.record(winner));
      ++progress_.rejected[winner.verdict];
      first_diagnostics_.emplace(winner.verdict, winner.diagnostics);
      if (finalist.point == default_point_) outcome.baseline.reset();
      continue;
    }
    // A measurement known from before may lack the first seed; it was verified then.
    sum.seeds = std::max(sum.seeds, 1) + second.verification.seeds;
    sum.units += second.verification.units;
    sum.units_total += second.verification.units_total;
    sum.worst_error = std::max(sum.worst_error, second.verification.worst_error);
    sum.worst_absolute = std::max(sum.worst_absolute, second.verification.worst_absolute);
    winner.unix_ns = second.unix_ns;
    if (outcome.baseline && finalist.point == default_point_) outcome.baseline = winner;
    progress_.best_ns = winner.timing.median_ns;
    progress_.best_config = space_->text(winner.config);
    outcome.winner = winner;
    outcome.artifact = *finalist.candidate.artifact;
    outcome.plan = *finalist.candidate.plan;
    outcome.elapsed = duration_cast<milliseconds>(elapsed());
    return outcome;
  }
  return nothing_works();
}

Status Search::pause_for_others() {
  const auto start = Clock::now();
  KILN_RETURN_IF_ERROR(turn_->yield(stop_));
  if (options_.priority == Priority::kBackground) {
    // Before the first look is a second old, nothing is known; then wait for that second.
    for (auto load = load_.look(); !load || *load > context_.idle_load; load = load_.look()) {
      if (stop_.stop_requested()) return absl::CancelledError("stopped");
      progress_.waiting_for_idle = load.has_value();
      report(false);
      std::this_thread::sleep_for(kIdlePoll);
      KILN_RETURN_IF_ERROR(turn_->yield(stop_));
    }
    progress_.waiting_for_idle = false;
  }
  paused_ += Clock::now() - start;
  return absl::OkStatus();
}

bool Search::budget_spent(nanoseconds expected) const {
  const Budget& budget = options_.budget;
  // Something must have been tried, whatever the budget.
  if (evaluations_ == 0 && finalists_.empty()) return false;
  if (budget.evaluations && evaluations_ >= *budget.evaluations) return true;
  if (budget.peak_fraction && best_fraction_ >= *budget.peak_fraction) return true;
  if (!budget.time) return false;
  // The rematch and the second seed need their part: of long launches, a few by each finalist.
  const double best_ns = finalists_.empty() ? 0 : finalists_.front().measurement.timing.median_ns;
  const auto launches = nanoseconds(int64_t(best_ns * 3 * double(finalists_.size() + 1)));
  const auto second_seed = std::min<nanoseconds>(preparation_cost_, *budget.time / 5);
  const auto reserve = std::max(rematch_budget(), launches) + second_seed + milliseconds(100);
  return elapsed() + reserve + expected > *budget.time;
}

nanoseconds Search::variant_budget() const {
  if (!options_.budget.time) return kVariantBudget;
  return std::clamp(nanoseconds(*options_.budget.time) / 100, kLeastVariantBudget, kVariantBudget);
}

nanoseconds Search::rematch_budget() const {
  if (!options_.budget.time) return kRematchBudget;
  return std::clamp(nanoseconds(*options_.budget.time) / 12, 4 * kLeastVariantBudget,
                    kRematchBudget);
}

void Search::report(bool now) {
  if (!progress_callback_) return;
  if (!now && Clock::now() - last_report_ < kReportInterval) return;
  last_report_ = Clock::now();
  progress_.elapsed = duration_cast<milliseconds>(elapsed());
  progress_.remaining.reset();
  const Budget& budget = options_.budget;
  if (budget.time) {
    progress_.remaining = std::max(*budget.time - progress_.elapsed, milliseconds(0));
  }
  if (budget.evaluations && evaluations_ > 0) {
    const auto estimate = duration_cast<milliseconds>(
        evaluation_cost_ * std::max<int64_t>(*budget.evaluations - evaluations_, 0) +
        rematch_budget());
    progress_.remaining = std::min(progress_.remaining.value_or(estimate), estimate);
  }
  if (progress_.phase == Progress::Phase::kDone) progress_.remaining = milliseconds(0);
  progress_callback_(progress_);
}

std::optional<size_t> Search::point_of(const Config& config) const {
  const auto levels = space_->levels(config);
  if (!levels) return std::nullopt;
  const auto place = std::lower_bound(points_.begin(), points_.end(), *levels);
  if (place == points_.end() || *place != *levels) return std::nullopt;
  return size_t(place - points_.begin());
}

KernelSource Search::source_of(const Config& config) const {
  return family_.source(problem_, config, context_.device.target());
}

Status Search::nothing_works() const {
  std::pair<Verdict, int64_t> commonest{Verdict::kOk, 0};
  for (const auto& [verdict, count] : progress_.rejected) {
    if (count > commonest.second) commonest = {verdict, count};
  }
  std::string reason;
  if (const auto found = first_diagnostics_.find(commonest.first);
      found != first_diagnostics_.end()) {
    reason =
        absl::StrCat("; most often ", std::string(name_of(commonest.first)), ": ", found->second);
  }
  return absl::FailedPreconditionError(absl::StrCat("none of ", evaluations_, " variants of ",
                                                    problem_.text(), " works on ",
                                                    context_.device.name(), reason));
}

}  // namespace kiln::tuner
