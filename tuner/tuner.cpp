#include "tuner/tuner.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "devices/gpu/gpu_probe.h"
#include "devices/host/scheduling.h"
#include "tuner/compile_pool.h"
#include "tuner/problem_bench.h"
#include "tuner/resources.h"
#include "tuner/run_worker.h"
#include "tuner/search.h"
#include "tuner/turns.h"

namespace kiln::tuner {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds kPeaksBudget{250};
constexpr milliseconds kCheckLimit{5'000};
// Niceness of a check: one caller waits for it, many may ask for what is known meanwhile.
constexpr int kCheckNiceness = 10;
constexpr int64_t kLeastProbeBytes = 64 << 20;
constexpr int64_t kFlushedCaches = 2;  // times a GPU's last cache, written between cold launches
// How long a device that did not work is left alone.
constexpr std::chrono::seconds kLostFor{10};

class DeviceTuner : public Tuner {
 public:
  DeviceTuner(const devices::Device& device, const TunerOptions& options,
              std::unique_ptr<RunWorker> worker)
      : device_(device),
        options_(options),
        compilers_(device.compiler(), options.compile_processes),
        worker_(std::move(worker)) {}

  StatusOr<Outcome> tune(const Family& family, const Problem& problem, const TuneOptions& options,
                         MeasurementSink& sink,
                         const std::function<void(const Progress&)>& progress,
                         std::stop_token stop) override {
    KILN_RETURN_IF_ERROR(family.supports(device_.target()));
    const Urgency urgency =
        options.priority == Priority::kBackground ? Urgency::kBackground : Urgency::kForeground;
    KILN_ASSIGN_OR_RETURN(Turn turn, turns_.take(urgency, stop));
    KILN_RETURN_IF_ERROR(availability());
    if (!best_rates()) KILN_RETURN_IF_ERROR(noting_loss(probe_rates()));
    const SearchTask task{.device = device_,
                          .worker = *worker_,
                          .compilers = compilers_,
                          .family = family,
                          .problem = problem,
                          .options = options,
                          .sink = sink,
                          .stop = stop};
    Search search(task, turn, options_.idle_load, *best_rates(), progress);
    StatusOr<Outcome> outcome = search.run();
    raise(search.peaks());
    worker_->release_memory();
    if (!outcome.ok()) return noting_loss(outcome.status());
    return outcome;
  }

  StatusOr<Checked> check(const Family& family, const Problem& problem, const Config& config,
                          std::stop_token stop) override {
    StatusOr<Checked> result = absl::InternalError("not checked");
    // In a thread of its own: niceness cannot be taken back from the caller's.
    std::jthread([&] {
      devices::give_way(kCheckNiceness);
      result = check_here(family, problem, config, stop);
    }).join();
    return result;
  }

  std::optional<Peaks> peaks() const override {
    const std::optional<PeakRates> rates = best_rates();
    if (!rates) return std::nullopt;
    return Peaks{.f32_flops = (*rates)[size_t(worker::Probe::kFma)],
                 .bf16_flops = (*rates)[size_t(worker::Probe::kBf16)],
                 .read_bytes = (*rates)[size_t(worker::Probe::kRead)],
                 .copy_bytes = (*rates)[size_t(worker::Probe::kCopy)]};
  }

  Status measure_peaks() override {
    KILN_ASSIGN_OR_RETURN(const Turn turn, turns_.take(Urgency::kCheck, {}));
    KILN_RETURN_IF_ERROR(availability());
    return noting_loss(probe_rates());
  }

  Status availability() const override {
    const std::lock_guard lock(rates_mutex_);
    const bool again = std::chrono::steady_clock::now() - lost_at_ > kLostFor;
    return again ? absl::OkStatus() : lost_;
  }

 private:
  StatusOr<Checked> check_here(const Family& family, const Problem& problem, const Config& config,
                               const std::stop_token& stop);

  std::optional<PeakRates> best_rates() const {
    const std::lock_guard lock(rates_mutex_);
    return best_rates_;
  }

  void raise(const PeakRates& rates) {
    const std::lock_guard lock(rates_mutex_);
    PeakRates best = best_rates_.value_or(PeakRates{});
    for (size_t i = 0; i < best.size(); ++i)
      best[i] = std::max(best[i], rates[i]);
    best_rates_ = best;
  }

  // Remembers that the device did not work, if that is what failed.
  Status noting_loss(const Status& status) {
    const Status& found = worker_->device_status();
    const std::lock_guard lock(rates_mutex_);
    lost_ = found.ok() ? found : annotate(found, device_.name());
    lost_at_ = std::chrono::steady_clock::now();
    return status.ok() || lost_.ok() ? status : lost_;
  }

  // Kernels that measure a GPU, compiled as its variants are; once.
  Status make_probes() {
    if (!device_.ordinal() || have_probes_) return absl::OkStatus();
    std::vector<ProbeKernel> probes;
    for (const devices::GpuProbe& probe : devices::gpu_probes(device_.target())) {
      StatusOr<devices::Compilation> made = device_.compiler().compile(probe.source, {});
      if (absl::IsUnavailable(made.status())) return made.status();
      // Kernels that are not ours may come without; bandwidth stands in.
      if (!made.ok()) break;
      probes.push_back(
          {.artifact = std::move(made->artifact), .plan = probe.plan, .flops = probe.flops});
    }
    worker_->set_probes(std::move(probes), devices::probe_blocks(device_.target()));
    have_probes_ = true;
    return absl::OkStatus();
  }

  // The caller holds the turn.
  Status probe_rates() {
    KILN_RETURN_IF_ERROR(make_probes());
    RunOptions run;
    run.threads = host_threads(device_.target());
    StatusOr<std::vector<double>> rates = absl::UnavailableError("not measured");
    for (int attempt = 0; attempt < 2 && absl::IsUnavailable(rates.status()); ++attempt) {
      KILN_ASSIGN_OR_RETURN(auto process, worker_->run(run));
      KILN_ASSIGN_OR_RETURN(const auto loaded, process->load(load_limit(device_.target()), {}));
      if (const auto* fault = std::get_if<Fault>(&loaded)) {
        return absl::UnavailableError(
            absl::StrCat("the run worker does not work: ", fault->diagnostics));
      }
      rates = process->peaks(kPeaksBudget, {});
    }
    KILN_RETURN_IF_ERROR(rates.status());
    PeakRates seen{};
    if (rates->size() != seen.size()) return absl::InternalError("the probes are incomplete");
    std::copy(rates->begin(), rates->end(), seen.begin());
    raise(seen);
    worker_->release_memory();
    return absl::OkStatus();
  }

  const devices::Device& device_;
  TunerOptions options_;
  CompilePool compilers_;
  Turns turns_;
  std::unique_ptr<RunWorker> worker_;  // of whoever has the turn
  mutable std::mutex rates_mutex_;
  std::optional<PeakRates> best_rates_;  // of all probes so far
  Status lost_;                          // why the device did not work
  std::chrono::steady_clock::time_point lost_at_;
  bool have_probes_ = false;
};

StatusOr<Checked> DeviceTuner::check_here(const Family& family, const Problem& problem,
                                          const Config& config, const std::stop_token& stop) {
  const Target& target = device_.target();
  KILN_RETURN_IF_ERROR(family.supports(target));
  const Space space = family.space(problem, target);
  KILN_RETURN_IF_ERROR(space.check(config));
  const KernelSource source = family.source(problem, config, target);
  Compiled compiled = std::move(compilers_.compile({&source, 1}, 0, stop)[0]);
  KILN_RETURN_IF_ERROR(compiled.artifact.status());
  const Resources resources =
      resources_of(target, family.plan(problem, config, target), problem, compiled.entries);
  if (!resources.verdict.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the configuration ", space.text(config), " of ", family.schema().family(), " ",
        std::string(kDoesNotFit), ": ", std::string(resources.verdict.message())));
  }
  const Problem probe = family.probe(problem);
  const Candidate candidate{
      .config = config,
      .artifact = std::make_shared<const Artifact>(*std::move(compiled.artifact)),
      .plan = std::make_shared<const Plan>(family.plan(probe, config, target))};
  KILN_ASSIGN_OR_RETURN(const Turn turn, turns_.take(Urgency::kCheck, stop));
  KILN_RETURN_IF_ERROR(availability());
  const BenchOptions options{
      .timed = false, .threads = host_threads(target), .niceness = kCheckNiceness};
  KILN_ASSIGN_OR_RETURN(const auto bench, ProblemBench::make(family, probe, *candidate.plan, target,
                                                             PeakRates{}, options, stop));
  StatusOr<Measurement> verified = bench->verify(*worker_, candidate, kCheckLimit, stop);
  worker_->end_kept();
  if (!verified.ok()) return noting_loss(verified.status());
  Measurement measurement = *std::move(verified);
  measurement.compile_ms = compiled.ms;
  if (measurement.verdict != Verdict::kOk) {
    return absl::FailedPreconditionError(
        absl::StrCat("the configuration ", space.text(config), " of ", family.schema().family(),
                     " failed on ", probe.text(), ": ", std::string(name_of(measurement.verdict)),
                     ": ", measurement.diagnostics));
  }
  return Checked{*candidate.artifact, family.plan(problem, config, target), measurement};
}

}  // namespace

std::string_view name_of(Progress::Phase phase) {
  switch (phase) {
    case Progress::Phase::kPreparing:
      return "preparing";
    case Progress::Phase::kSearching:
      return "searching";
    case Progress::Phase::kRematch:
      return "rematch";
    case Progress::Phase::kVerifying:
      return "verifying";
    case Progress::Phase::kDone:
      return "done";
  }
  return "unknown";
}

StatusOr<std::unique_ptr<Tuner>> Tuner::start(const devices::Device& device,
                                              const TunerOptions& options) {
  const int64_t probe_bytes = std::max(4 * device.target().llc_bytes, kLeastProbeBytes);
  WorkerPlace place;
  if (device.ordinal()) {
    place.driver = device.target().kind;
    place.ordinal = *device.ordinal();
    place.flush_bytes = kFlushedCaches * device.target().llc_bytes;
  }
  KILN_ASSIGN_OR_RETURN(auto worker, RunWorker::start(options.worker_path, probe_bytes, place));
  return std::make_unique<DeviceTuner>(device, options, std::move(worker));
}

}  // namespace kiln::tuner
