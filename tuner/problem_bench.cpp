#include "tuner/problem_bench.h"

#include <stdlib.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/host/thread_pool.h"
#include "tuner/statistics.h"

namespace kiln::tuner {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

namespace {

constexpr milliseconds kLoadLimit{10'000};
constexpr milliseconds kContextLimit{60'000};  // of a GPU: drivers look at all there are first
constexpr double kTargetWidth = 0.01;          // of the median's interval, relative
// Floor of what a working variant reaches, for the time limit of a first launch.
constexpr double kSlowestFlops = 2e8;
constexpr double kSlowestBytes = 2e8;
constexpr double kLimitFactor = 30;  // over the expected time of a launch
constexpr milliseconds kLeastLimit{2'000};
constexpr milliseconds kMostLimit{60'000};
// A first launch that takes so much longer than the best variant's needs no timing.
constexpr double kHopelessLaunch = 8;
constexpr double kLongLaunchNs = 100e6;  // below, page faults and caches can explain it
constexpr double kSlowestPhase = 0.4;    // of the best rate seen
constexpr int64_t kMemorySlack = 512 << 20;

// How many times longer things may take because others use the processors too.
int crowding() {
  double load = 0;
  if (getloadavg(&load, 1) != 1) return 1;
  constexpr double kMostCrowded = 5;
  return int(std::ceil(std::clamp(load / runtime::usable_cpus(), 1.0, kMostCrowded)));
}

bool is_driven(const Target& target) {
  return target.kind == "cuda" || target.kind == "hip";
}

int64_t unix_now_ns() {
  return std::chrono::duration_cast<nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Beside a measurement that is right, where nothing else is to be said.
std::string text_of(const runtime::GpuConditions& conditions) {
  return absl::StrFormat("at %.0f of %.0f MHz, memory at %.0f MHz, %.1f GiB in use",
                         conditions.clock_mhz, conditions.most_clock_mhz,
                         conditions.memory_clock_mhz,
                         conditions.memory_used_bytes / double(1 << 30));
}

}  // namespace

int host_threads(const Target& target) {
  return is_driven(target) ? runtime::usable_cpus() : target.threads;
}

milliseconds load_limit(const Target& target) {
  return is_driven(target) ? kContextLimit : kLoadLimit;
}

StatusOr<std::unique_ptr<ProblemBench>> ProblemBench::make(
    const Family& family, const Problem& problem, const Plan& plan, const Target& target,
    const PeakRates& peaks, const BenchOptions& options, std::stop_token stop) {
  std::unique_ptr<ProblemBench> bench(new ProblemBench(family, target, peaks, options));
  const WorkloadOptions workload{
      .seed = options.seed,
      .memory_bytes = target.memory_bytes,
      .rotation_bytes = options.cache == CachePolicy::kCold ? 4 * target.llc_bytes : 0,
      // Devices with memory of their own have what they time on there.
      .timed = options.timed && !is_driven(target)};
  KILN_ASSIGN_OR_RETURN(bench->workload_,
                        Workload::make(family, problem, plan, options.threads, workload, stop));
  ReferenceOptions reference{
      .flops = options.reference_flops, .seed = options.seed, .threads = options.threads};
  const auto tensors = bench->workload_->tensors();
  KILN_ASSIGN_OR_RETURN(bench->reference_,
                        Reference::make(family, problem, tensors, reference, stop));
  bool optional_input = false;
  for (const worker::TensorPlace& place : bench->workload_->places()) {
    bench->has_optional_ = bench->has_optional_ || place.optional;
    optional_input = optional_input || (place.optional && !place.output);
  }
  if (optional_input && !options.timed) {
    KILN_ASSIGN_OR_RETURN(
        bench->reference_without_optional_,
        Reference::make(family, problem, bench->workload_->tensors_without_optional(), reference,
                        stop));
  }
  bench->cost_ = family.cost(problem);
  const double outputs = double(bench->workload_->output_bytes());
  const auto first_input = std::find_if(plan.buffers.begin(), plan.buffers.end(),
                                        [](auto& b) { return b.kind == Buffer::Kind::kInput; });
  if (bench->cost_.bandwidth_bound) {
    // What hardly writes is measured against reading.
    bench->probe_ =
        outputs < 0.2 * bench->cost_.bytes ? worker::Probe::kRead : worker::Probe::kCopy;
  } else if (first_input != plan.buffers.end()) {
    const Dtype dtype = first_input->dtype;
    const bool in_halves = is_driven(target) ? dtype == Dtype::kBF16 || dtype == Dtype::kF16
                                             : target.bf16_dot && dtype == Dtype::kBF16;
    if (in_halves) bench->probe_ = worker::Probe::kBf16;
  }
  bool bandwidth_bound = bench->cost_.bandwidth_bound;
  // Without a kernel for that peak on a GPU, the bandwidth tells how it does at the moment.
  if (is_driven(target) && options.timed && peaks[size_t(bench->probe_)] == 0) {
    bench->probe_ = worker::Probe::kCopy;
    bandwidth_bound = true;
  }
  bench->work_ = bandwidth_bound ? bench->cost_.bytes : bench->cost_.flops;
  bench->reference_rate_ = peaks[size_t(bench->probe_)];
  return bench;
}

double ProblemBench::steady_ns(const Timing& timing) const {
  const double rate = timing.peak_fraction * reference_rate_;
  return rate > 0 ? work_ / rate * 1e9 : timing.p10_ns;
}

worker::Command ProblemBench::time_command(nanoseconds budget) const {
  worker::Command command;
  command.kind = worker::Command::Kind::kTime;
  command.warm = cache_ == CachePolicy::kWarm;
  command.probe = probe_;
  command.budget_ns = budget.count();
  command.target_width = kTargetWidth;
  return command;
}

milliseconds ProblemBench::launch_limit(double first_ns) const {
  const double expected = first_ns > 0
                              ? kLimitFactor * first_ns
                              : 1e9 * (cost_.flops / kSlowestFlops + cost_.bytes / kSlowestBytes);
  const auto limit = milliseconds(int64_t(std::min(expected / 1e6, 1e6)));
  return std::clamp(limit, kLeastLimit, kMostLimit) * crowding();
}

StatusOr<std::unique_ptr<VariantProcess>> ProblemBench::start(
    RunWorker& worker, std::span<const Candidate> candidates) const {
  RunOptions run;
  run.workload = workload_.get();
  run.threads = options_.threads;
  run.niceness = options_.niceness;
  int64_t workspace = 0;
  for (const Candidate& candidate : candidates) {
    run.variants.push_back({candidate.artifact.get(), candidate.plan.get()});
    KILN_ASSIGN_OR_RETURN(const Footprint need,
                          footprint(*candidate.plan, workload_->problem(), options_.threads));
    workspace = std::max(workspace, need.workspace);
  }
  if (workspace > target_.memory_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("the variant's workspace needs ", workspace,
                                                     " bytes; the device has ",
                                                     target_.memory_bytes));
  }
  run.memory_limit = workspace + kMemorySlack;
  run.cpu_limit = std::chrono::seconds(300);
  return worker.run(run);
}

Measurement ProblemBench::blank(const Candidate& candidate) const {
  Measurement measurement;
  measurement.config = candidate.config;
  measurement.cache = cache_;
  measurement.artifact_hash = candidate.artifact->hash;
  measurement.code_identity = candidate.artifact->code_identity;
  measurement.toolchain = candidate.artifact->toolchain;
  measurement.verification.problem = workload_->problem().text();
  measurement.unix_ns = unix_now_ns();
  return measurement;
}

StatusOr<double> ProblemBench::launch_and_compare(VariantProcess& process, int variant,
                                                  bool without_optional, milliseconds limit,
                                                  Measurement& measurement, std::stop_token stop) {
  workload_->poison();
  KILN_ASSIGN_OR_RETURN(auto launched, process.launch(variant, without_optional, limit, stop));
  const auto reject = [&](Verdict verdict, std::string diagnostics) {
    measurement.verdict = verdict;
    measurement.diagnostics = std::move(diagnostics);
    if (without_optional) measurement.diagnostics += " (without the optional tensors)";
    return 0.0;
  };
  if (auto* fault = std::get_if<Fault>(&launched)) {
    return reject(fault->verdict, std::move(fault->diagnostics));
  }
  if (auto stray = workload_->stray_write()) return reject(Verdict::kOutOfBounds, *stray);
  if (auto element = workload_->not_finite(without_optional)) {
    return reject(Verdict::kNotFinite, *element);
  }
  std::vector<HostTensor> present = workload_->tensors_without_optional();
  if (!without_optional) present.assign(workload_->tensors().begin(), workload_->tensors().end());
  const Reference& reference =
      without_optional && reference_without_optional_ ? *reference_without_optional_ : *reference_;
  const Reference::Result result = reference.compare(present);
  Verification& verification = measurement.verification;
  verification.worst_error = std::max(verification.worst_error, result.worst_error);
  verification.worst_absolute = std::max(verification.worst_absolute, result.worst_absolute);
  if (result.wrong) return reject(Verdict::kWrong, result.diagnostics);
  return std::max(std::get<double>(launched), 1.0);
}

StatusOr<Measurement> ProblemBench::measure(RunWorker& worker, const Candidate& candidate,
                                            const TimeLimits& limits, std::stop_token stop) {
  StatusOr<Measurement> measured = try_measure(worker, candidate, limits, stop);
  // A worker that somebody killed is started again; the variant is not to blame.
  if (absl::IsUnavailable(measured.status())) {
    measured = try_measure(worker, candidate, limits, stop);
  }
  return measured;
}

StatusOr<Measurement> ProblemBench::try_measure(RunWorker& worker, const Candidate& candidate,
                                                const TimeLimits& limits, std::stop_token stop) {
  Measurement measurement = blank(candidate);
  const auto failed = [&](const Fault& fault) {
    measurement.verdict = fault.verdict;
    measurement.diagnostics = fault.diagnostics;
    return measurement;
  };
  StatusOr<std::unique_ptr<VariantProcess>> process = start(worker, {&candidate, 1});
  if (absl::IsResourceExhausted(process.status())) {
    return failed({Verdict::kFailed, std::string(process.status().message())});
  }
  KILN_RETURN_IF_ERROR(process.status());
  KILN_ASSIGN_OR_RETURN(auto loaded, (*process)->load(load_limit(target_), stop));
  if (const auto* fault = std::get_if<Fault>(&loaded)) return failed(*fault);

  const milliseconds limit = launch_limit(limits.first_ns);
  KILN_ASSIGN_OR_RETURN(const double first_ns,
                        launch_and_compare(**process, 0, false, limit, measurement, stop));
  if (measurement.verdict != Verdict::kOk) return measurement;
  measurement.verification.seeds = 1;
  measurement.verification.units = reference_->units();
  measurement.verification.units_total = reference_->units_total();

  if (limits.best_ns > 0 && first_ns > kHopelessLaunch * limits.best_ns &&
      first_ns > kLongLaunchNs) {
    measurement.verdict = Verdict::kDroppedEarly;
    measurement.timing = summarise({first_ns}, {}, kTargetWidth);
    return measurement;
  }
  worker::Command command = time_command(limits.budget);
  command.expected_ns = first_ns;
  command.best_ns = limits.best_ns;
  command.probe_reference = reference_rate_;
  const milliseconds time_limit =
      std::chrono::ceil<milliseconds>(6 * limits.budget + nanoseconds(int64_t(10 * first_ns))) +
      kLeastLimit * crowding();
  KILN_ASSIGN_OR_RETURN(auto timed, (*process)->time(command, time_limit, stop));
  if (const auto* fault = std::get_if<Fault>(&timed)) return failed(*fault);
  const Timed& times = std::get<Timed>(timed);
  measurement.timing = summarise(times.launch_ns[0], times.probe, kTargetWidth);
  if (times.conditions) measurement.diagnostics = text_of(*times.conditions);
  if (times.dropped) {
    measurement.verdict = Verdict::kDroppedEarly;
    return measurement;
  }
  // Right the first time is not enough.
  KILN_RETURN_IF_ERROR(launch_and_compare(**process, 0, false, limit, measurement, stop).status());
  return measurement;
}

StatusOr<Measurement> ProblemBench::verify(RunWorker& worker, const Candidate& candidate,
                                           milliseconds limit, std::stop_token stop) {
  StatusOr<Measurement> measured = try_verify(worker, candidate, limit, stop);
  if (absl::IsUnavailable(measured.status())) {
    measured = try_verify(worker, candidate, limit, stop);
  }
  return measured;
}

StatusOr<Measurement> ProblemBench::try_verify(RunWorker& worker, const Candidate& candidate,
                                               milliseconds limit, std::stop_token stop) {
  Measurement measurement = blank(candidate);
  KILN_ASSIGN_OR_RETURN(auto process, start(worker, {&candidate, 1}));
  KILN_ASSIGN_OR_RETURN(auto loaded, process->load(load_limit(target_), stop));
  if (const auto* fault = std::get_if<Fault>(&loaded)) {
    measurement.verdict = fault->verdict;
    measurement.diagnostics = fault->diagnostics;
    return measurement;
  }
  for (const bool without_optional : {false, true}) {
    if (without_optional && !has_optional_) continue;
    KILN_RETURN_IF_ERROR(
        launch_and_compare(*process, 0, without_optional, limit, measurement, stop).status());
    if (measurement.verdict != Verdict::kOk) return measurement;
  }
  measurement.verification.seeds = 1;
  measurement.verification.units = reference_->units();
  measurement.verification.units_total = reference_->units_total();
  return measurement;
}

StatusOr<OrFault<std::vector<Timing>>> ProblemBench::rematch(RunWorker& worker,
                                                             std::span<const Candidate> candidates,
                                                             nanoseconds budget,
                                                             std::stop_token stop) {
  using Result = OrFault<std::vector<Timing>>;
  KILN_ASSIGN_OR_RETURN(auto process, start(worker, candidates));
  KILN_ASSIGN_OR_RETURN(auto loaded, process->load(load_limit(target_), stop));
  if (auto* fault = std::get_if<Fault>(&loaded)) return Result(std::move(*fault));
  double total_ns = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    KILN_ASSIGN_OR_RETURN(auto launched, process->launch(int(i), false, launch_limit(0), stop));
    if (auto* fault = std::get_if<Fault>(&launched)) return Result(std::move(*fault));
    total_ns += std::get<double>(launched);
  }
  worker::Command command = time_command(budget);
  command.variants = int32_t(candidates.size());
  command.expected_ns = total_ns / double(candidates.size());
  const milliseconds limit =
      std::chrono::ceil<milliseconds>(6 * budget + nanoseconds(int64_t(10 * total_ns))) +
      kLeastLimit * crowding();
  KILN_ASSIGN_OR_RETURN(auto timed, process->time(command, limit, stop));
  if (auto* fault = std::get_if<Fault>(&timed)) return Result(std::move(*fault));
  const Timed& times = std::get<Timed>(timed);
  std::vector<Timing> timings;
  for (const auto& launch_ns : times.launch_ns) {
    timings.push_back(summarise(launch_ns, times.probe, kTargetWidth));
  }
  return Result(std::move(timings));
}

Timing ProblemBench::summarise(const std::vector<double>& launch_ns,
                               const std::vector<double>& probe, double target_width) {
  std::vector<double> sorted = launch_ns;
  std::sort(sorted.begin(), sorted.end());
  const Interval interval = median_interval(sorted);
  Timing timing;
  timing.median_ns = quantile(sorted, 0.5);
  timing.minimum_ns = sorted.front();
  timing.p10_ns = quantile(sorted, 0.1);
  timing.p90_ns = quantile(sorted, 0.9);
  timing.median_low_ns = interval.low;
  timing.median_high_ns = interval.high;
  timing.samples = int(sorted.size());
  timing.noisy =
      (interval.high - interval.low) > 2 * target_width * timing.median_ns || has_two_modes(sorted);
  if (probe.empty()) return timing;
  // Neighbours only ever make launches and probes slower: the tenth least disturbed of both show
  // what the machine could give at the time.
  const double rate = least_disturbed_rate(probe);
  if (first_probe_ == 0) first_probe_ = rate;
  last_probe_ = rate;
  if (reference_rate_ == 0) reference_rate_ = rate;
  double& peak = peaks_[size_t(probe_)];
  peak = std::max(peak, rate);
  timing.probe_ratio = rate / peak;
  // Machines slow down to half their speed; a probe that found less, or less than the variant
  // achieved beside it, was itself disturbed and says nothing about the moment.
  const double achieved = work_ / (timing.p10_ns * 1e-9);
  const bool arithmetic = probe_ == worker::Probe::kFma || probe_ == worker::Probe::kBf16;
  const bool believable = timing.probe_ratio > kSlowestPhase && !(arithmetic && achieved > rate);
  timing.noisy = timing.noisy || !believable;
  timing.peak_fraction = achieved / (believable ? rate : std::max(peak, achieved));
  return timing;
}

}  // namespace kiln::tuner
