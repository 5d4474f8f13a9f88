#include "tuner/final_round.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace kiln::tuner {

namespace {

constexpr double kFinalReferenceFlops = 1e9;  // with twenty seconds or more
constexpr double kLeastReferenceFlops = 2e8;
constexpr std::chrono::milliseconds kVerifyLimit{60'000};
constexpr uint64_t kSecondSeed = 0x9E3779B97F4A7C15;

// The larger the budget, the more of the result is compared.
double reference_flops(const Budget& budget) {
  if (!budget.time) return kFinalReferenceFlops;
  const double part = std::chrono::duration<double>(*budget.time).count() / 20;
  return std::clamp(part * kFinalReferenceFlops, kLeastReferenceFlops, kFinalReferenceFlops);
}

void add(Verification& sum, const Verification& second) {
  // A measurement known from before may lack the first seed; it was verified then.
  sum.seeds = std::max(sum.seeds, 1) + second.seeds;
  sum.units += second.units;
  sum.units_total += second.units_total;
  sum.worst_error = std::max(sum.worst_error, second.worst_error);
  sum.worst_absolute = std::max(sum.worst_absolute, second.worst_absolute);
}

}  // namespace

StatusOr<std::vector<Finalist>> FinalRound::rematch(ProblemBench& bench,
                                                    std::vector<Finalist> contenders) {
  report_.enter(Progress::Phase::kRematch);
  KILN_RETURN_IF_ERROR(courtesy_.wait());
  std::vector<Finalist> ready;
  for (Finalist& finalist : contenders) {
    KILN_ASSIGN_OR_RETURN(const bool compiled, make_ready(finalist));
    if (compiled) ready.push_back(std::move(finalist));
  }
  int losses = 0;
  while (!ready.empty()) {
    std::vector<Candidate> candidates;
    for (const Finalist& finalist : ready)
      candidates.push_back(finalist.candidate);
    auto timed = bench.rematch(task_.worker, candidates, spending_.for_rematch(), task_.stop);
    if (absl::IsUnavailable(timed.status()) && losses++ == 0) continue;  // the worker was killed
    KILN_RETURN_IF_ERROR(timed.status());
    if (const auto* fault = std::get_if<Fault>(&*timed)) {
      // Worked before, failed now: out, and known as such.
      const size_t index = size_t(std::clamp<int>(fault->variant, 0, int(ready.size()) - 1));
      Measurement failed = ready[index].measurement;
      failed.verdict = fault->verdict;
      failed.diagnostics = absl::StrCat("in the rematch: ", fault->diagnostics);
      KILN_RETURN_IF_ERROR(reject(failed));
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
  rank(ready);
  if (const Finalist* fallback = default_among(ready)) {
    report_.progress().default_ns = fallback->measurement.timing.median_ns;
  }
  if (!ready.empty()) report_best(ready.front().measurement);
  return ready;
}

StatusOr<const Finalist*> FinalRound::verify(std::vector<Finalist>& ranking,
                                             const PeakRates& peaks) {
  if (ranking.empty()) return nullptr;
  report_.enter(Progress::Phase::kVerifying);
  const TuneOptions& options = task_.options;
  const BenchOptions bench_options{.seed = options.seed ^ kSecondSeed,
                                   .cache = options.cache,
                                   .timed = false,
                                   .reference_flops = reference_flops(options.budget),
                                   .threads = host_threads(task_.target()),
                                   .niceness = task_.niceness()};
  KILN_ASSIGN_OR_RETURN(
      const auto bench,
      ProblemBench::make(task_.family, task_.problem, *ranking.front().candidate.plan,
                         task_.target(), peaks, bench_options, task_.stop));
  for (Finalist& finalist : ranking) {
    KILN_RETURN_IF_ERROR(courtesy_.wait());
    KILN_ASSIGN_OR_RETURN(const Measurement second, bench->verify(task_.worker, finalist.candidate,
                                                                  kVerifyLimit, task_.stop));
    Measurement& measurement = finalist.measurement;
    if (second.verdict == Verdict::kOk) {
      add(measurement.verification, second.verification);
      measurement.unix_ns = second.unix_ns;
      report_best(measurement);
      return &finalist;
    }
    measurement.verdict = second.verdict;
    measurement.diagnostics = absl::StrCat("on the second seed: ", second.diagnostics);
    KILN_RETURN_IF_ERROR(reject(measurement));
  }
  return nullptr;
}

StatusOr<bool> FinalRound::make_ready(Finalist& finalist) {
  if (finalist.candidate.artifact) return true;
  const KernelSource source = task_.source(finalist.candidate.config);
  Compiled compiled =
      std::move(task_.compilers.compile({&source, 1}, task_.niceness(), task_.stop)[0]);
  const Status& status = compiled.artifact.status();
  if (absl::IsUnavailable(status) || absl::IsCancelled(status)) return status;
  if (!status.ok()) return false;
  ++report_.progress().compiled;
  finalist.measurement.compile_ms = compiled.ms;
  finalist.candidate.artifact = std::make_shared<const Artifact>(*std::move(compiled.artifact));
  finalist.candidate.plan = task_.plan(finalist.candidate.config);
  return true;
}

Status FinalRound::reject(const Measurement& failed) {
  report_.reject(failed);
  return task_.sink.record(failed);
}

void FinalRound::report_best(const Measurement& measurement) {
  report_.progress().best_ns = measurement.timing.median_ns;
  report_.progress().best_config = space_.text(measurement.config);
}

}  // namespace kiln::tuner
