// Running a job: what its lane's thread does.

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>

#include "core/key.h"
#include "engine/import.h"
#include "engine/job.h"
#include "engine/jobs.h"
#include "engine/measurement_pages.h"

namespace kiln::engine {
namespace {

// Writes measurements to the store as they are made. A store that fails costs what it does not
// keep, not the tuning.
class StoreSink final : public MeasurementSink {
 public:
  StoreSink(db::Store& store, const db::JobRow& job) : store_(store) {
    row_.job_id = job.id;
    row_.problem = job.problem;
    row_.fingerprint = job.fingerprint;
  }

  Status record(const Measurement& measurement) override {
    row_.measurement = measurement;
    const auto kept = store_.add_measurement(row_);
    if (!kept.ok() && !warned_) {
      spdlog::warn("job {}: measurements are not stored: {}", row_.job_id,
                   kept.status().ToString());
      warned_ = true;
    }
    return absl::OkStatus();
  }

 private:
  db::Store& store_;
  db::MeasurementRow row_;
  bool warned_ = false;
};

}  // namespace

std::string Jobs::Job::key_of(const ServedDevice& device, const Problem& problem) {
  return device.name() + '\n' + problem_key(problem);
}

void Jobs::serve(Lane& lane, const std::stop_token& stop) {
  for (;;) {
    JobPointer job;
    {
      std::unique_lock lock(mutex_);
      if (!queued_.wait(lock, stop, [&] { return !lane.queue.empty(); })) return;
      if (stop.stop_requested()) return;
      job = lane.queue.front();
      lane.queue.pop_front();
      job->row.state = db::JobState::kRunning;
      job->row.started_unix_ns = unix_now_ns(job->row.created_unix_ns);
      job->progress = {};
      job->stop = std::stop_source();
    }
    run(job);
  }
}

void Jobs::run(const JobPointer& job) {
  std::stop_token stop;
  db::JobRow row;
  {
    std::lock_guard lock(mutex_);
    // Cancelled or closing between the queue and here.
    if (job->cancelled || closing_.stop_requested()) job->stop.request_stop();
    stop = job->stop.get_token();
    row = job->row;
  }
  persist(row);
  publish(job);
  const StatusOr<Answer> answer = tune(job, stop);
  const Status& status = answer.status();

  if (absl::IsCancelled(status)) {
    std::unique_lock lock(mutex_);
    const bool cancelled = job->cancelled;
    if (!cancelled) {
      // The engine closes, or the job goes on in the foreground.
      job->row.state = db::JobState::kQueued;
      const db::JobRow again = job->row;
      if (!closing_.stop_requested()) enqueue(job);
      lock.unlock();
      persist(again);
      return;
    }
  }
  on_finished_(*job->device, job->problem, answer.ok() ? *answer : nullptr);
  if (status.ok()) {
    finish(job, db::JobState::kSucceeded, "");
  } else if (absl::IsCancelled(status)) {
    finish(job, db::JobState::kCancelled, "");
  } else {
    spdlog::warn("job {} ({} {}): {}", row.id, row.problem.family, row.problem.text,
                 status.ToString());
    finish(job, db::JobState::kFailed, std::string(status.message()));
  }
}

std::vector<Measurement> Jobs::known_measurements(const Job& job) {
  const Family& family = catalogue_.family_of(job.problem);
  const StatusOr<Space> space = catalogue_.space_of(job.problem, job.device->target());
  if (!space.ok()) return {};                    // and tuning says why
  std::map<std::string, Measurement> by_config;  // the newest of each
  const Status read = for_each_measurement(
      store_, job.row.problem, job.device->fingerprint_text(), [&](const db::MeasurementRow& row) {
        const Measurement& measurement = row.measurement;
        if (row.job_id == db::kImported) return;  // whoever wrote it may claim anything
        if (job.options.force && row.job_id != job.row.id) return;
        if (measurement.cache != job.options.tune.cache) return;
        if (!space->check(measurement.config).ok()) return;
        if (!job.device->is_current(family, job.problem, measurement)) return;
        by_config[measurement.config.text()] = measurement;
      });
  if (!read.ok()) {
    spdlog::warn("job {}: earlier measurements are not read: {}", job.row.id, read.ToString());
  }
  std::vector<Measurement> known;
  known.reserve(by_config.size());
  for (auto& [config, measurement] : by_config)
    known.push_back(std::move(measurement));
  return known;
}

std::vector<Config> Jobs::first_configs(const Job& job) {
  std::vector<Config> configs;
  if (const auto space = catalogue_.space_of(job.problem, job.device->target()); space.ok()) {
    auto imported = imported_candidates(job.row.problem, job.device->fingerprint_text(), *space,
                                        job.options.tune.cache, store_);
    if (imported.ok()) configs = *std::move(imported);
  }
  for (Config& config : lookup_.candidates(*job.device, job.problem)) {
    if (std::find(configs.begin(), configs.end(), config) == configs.end()) {
      configs.push_back(std::move(config));
    }
  }
  return configs;
}

StatusOr<Answer> Jobs::tune(const JobPointer& job, const std::stop_token& stop) {
  db::JobRow row;
  tuner::TuneOptions options;
  {
    std::lock_guard lock(mutex_);
    row = job->row;
    options = job->options.tune;
    options.priority = row.background ? tuner::Priority::kBackground : tuner::Priority::kForeground;
  }
  const ServedDevice& device = *job->device;
  const Family& family = catalogue_.family_of(job->problem);
  KILN_ASSIGN_OR_RETURN(tuner::Tuner * tuner, device.tuner());
  options.first = first_configs(*job);
  options.known = known_measurements(*job);
  StoreSink sink(store_, row);
  const auto report = [&](const tuner::Progress& progress) {
    {
      std::lock_guard lock(mutex_);
      job->progress = progress;
      job->row.evaluations = progress.measured;
      for (const auto& [verdict, count] : progress.rejected)
        job->row.evaluations += count;
    }
    publish(job);
  };
  KILN_ASSIGN_OR_RETURN(const tuner::Outcome outcome,
                        tuner->tune(family, job->problem, options, sink, report, stop));

  db::WinnerRow winner;
  winner.problem = row.problem;
  winner.fingerprint = device.fingerprint_text();
  winner.measurement = outcome.winner;
  winner.baseline = outcome.baseline;
  winner.plan_json = to_json(outcome.plan);
  winner.space_version = family.space(job->problem, device.target()).version();
  winner.schema_version = family.schema().version();
  winner.evaluations = outcome.evaluations;
  winner.created_unix_ns = unix_now_ns();
  Status kept = store_.put_artifact(outcome.artifact);
  if (kept.ok()) {
    const auto id = store_.put_winner(winner);
    kept = id.status();
    if (id.ok()) winner.id = *id;
  }
  {
    std::lock_guard lock(mutex_);
    job->row.evaluations = outcome.evaluations;
    job->row.winner_id = winner.id;
  }
  Answer answer = lookup_.fresh(device, job->problem, winner, outcome.artifact, outcome.plan);
  if (kept.ok()) return answer;
  // Served while this process lives; the job tells that it has to be done again.
  on_finished_(device, job->problem, answer);
  return annotate(kept, "the winner was found but not stored");
}

}  // namespace kiln::engine
