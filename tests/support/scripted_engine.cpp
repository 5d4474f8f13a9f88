#include "tests/support/scripted_engine.h"

#include <algorithm>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "core/key.h"

namespace kiln::testing {
namespace {

template <typename T>
T must(StatusOr<T> value) {
  if (!value.ok()) throw std::runtime_error(std::string(value.status().message()));
  return *std::move(value);
}

bool is_final(db::JobState state) {
  return state >= db::JobState::kSucceeded;
}

db::ProblemRef reference(const Problem& problem) {
  return {problem.family(), problem_key(problem), exact_key(problem), statics_key(problem),
          problem.text(true)};
}

template <typename T>
StatusOr<T> found(const std::map<int64_t, T>& rows, int64_t id, const char* what) {
  const auto row = rows.find(id);
  if (row == rows.end()) return absl::NotFoundError(absl::StrCat("there is no ", what, " ", id));
  return row->second;
}

}  // namespace

struct ScriptedEngine::Watcher {
  std::mutex mutex;  // held during a call, so that the handle's end waits for it
  int64_t job;
  std::function<void(const engine::JobView&, bool)> observer;  // empty: ended
};

ScriptedEngine::ScriptedEngine() : family_({Behaviour::kSlow, Behaviour::kFast}) {
  devices::DeviceOptions options;
  options.sources = TrialFamily::sources();
  options.cache_directory = cache_.path();
  device_ = must(devices::open_device("host", options));
  serve(Behaviour::kSlow, false);
}

ScriptedEngine::~ScriptedEngine() = default;

void ScriptedEngine::serve(Behaviour behaviour, bool tuned) {
  const Problem problem = family_.problem(1000);
  const Config config = TrialFamily::config(behaviour);
  const Target& target = device_->target();
  auto artifact = std::make_shared<Artifact>(
      must(device_->compile(family_.source(problem, config, target), {})));
  engine::KernelAnswer answer;
  answer.artifact = artifact;
  answer.plan = std::make_shared<Plan>(family_.plan(problem, config, target));
  answer.config = config;
  answer.space = std::make_shared<Space>(family_.space(problem, target));
  answer.cost = family_.cost(problem);
  answer.device = "host";
  answer.fingerprint = device_->fingerprint().text();
  using Kind = Provenance::Kind;
  answer.provenance.kind = tuned ? Kind::kTuned : Kind::kDefault;
  answer.provenance.provisional = !tuned;
  answer.provenance.winner_id = tuned ? 7 : 0;
  answer.provenance.measurement.config = config;
  answer.provenance.measurement.artifact_hash = artifact->hash;
  std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
  ++generation_;
  changed_.notify_all();
}

void ScriptedEngine::replace_artifact(std::shared_ptr<const Artifact> artifact) {
  std::lock_guard lock(mutex_);
  answer_.artifact = std::move(artifact);
  ++generation_;
}

void ScriptedEngine::serve_nothing() {
  std::lock_guard lock(mutex_);
  answer_.artifact = nullptr;
  ++generation_;
  answer_.plan = nullptr;
  answer_.provenance.job_id = 5;
}

void ScriptedEngine::fail_next(Status status) {
  std::lock_guard lock(mutex_);
  next_failure_ = std::move(status);
}

uint64_t ScriptedEngine::generation() const {
  std::lock_guard lock(mutex_);
  return generation_;
}

int ScriptedEngine::lookups() const {
  std::lock_guard lock(mutex_);
  return lookups_;
}

int ScriptedEngine::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_;
}

int ScriptedEngine::watchers() const {
  std::lock_guard lock(mutex_);
  return int(watchers_.size());
}

int64_t ScriptedEngine::job_count() const {
  std::lock_guard lock(mutex_);
  return int64_t(jobs_.size());
}

StatusOr<const Family*> ScriptedEngine::family(std::string_view name) const {
  if (name == family_.name()) return &family_;
  return invalid_field("family", name, "one of: trial", absl::StatusCode::kNotFound);
}

StatusOr<Problem> ScriptedEngine::problem(
    std::string_view, const std::vector<std::pair<std::string, Value>>& fields) const {
  KILN_ASSIGN_OR_RETURN(Problem problem, Problem::make(family_.schema(), fields));
  KILN_RETURN_IF_ERROR(family_.check(problem));
  return problem;
}

StatusOr<engine::KernelAnswer> ScriptedEngine::get_kernel(const Problem&, const std::string& device,
                                                          const engine::Policy& policy,
                                                          std::stop_token stop) {
  if (device != "host") {
    return invalid_field("device", device, "host", absl::StatusCode::kFailedPrecondition);
  }
  std::unique_lock lock(mutex_);
  ++lookups_;
  if (!next_failure_.ok()) return std::exchange(next_failure_, absl::OkStatus());
  if (policy.wait != engine::Policy::Wait::kNone) {
    const auto tuned = [this] { return !answer_.provenance.provisional; };
    ++waiting_;
    changed_.notify_all();
    if (policy.wait == engine::Policy::Wait::kDeadline) {
      changed_.wait_for(lock, stop, policy.deadline, tuned);
    } else {
      changed_.wait(lock, stop, tuned);
    }
    --waiting_;
    if (stop.stop_requested()) return absl::CancelledError("nobody waits any more");
  }
  return answer_;
}

StatusOr<engine::JobView> ScriptedEngine::tune(const Problem& problem,
                                               const engine::TuneRequest& request) {
  std::lock_guard lock(mutex_);
  for (const auto& [id, job] : jobs_) {
    if (!request.request_id.empty() && job.row.request_id == request.request_id) return job;
  }
  engine::JobView job;
  job.row.id = int64_t(jobs_.size()) + 1;
  job.row.request_id = request.request_id;
  job.row.problem = reference(problem);
  job.row.device = request.device;
  job.row.created_unix_ns = 1'700'000'000'123'456'789;
  return jobs_[job.row.id] = job;
}

StatusOr<engine::JobView> ScriptedEngine::job(int64_t id) {
  std::lock_guard lock(mutex_);
  return found(jobs_, id, "job");
}

StatusOr<std::vector<engine::JobView>> ScriptedEngine::jobs(const std::vector<db::JobState>& states,
                                                            const db::Page& page) {
  std::lock_guard lock(mutex_);
  std::vector<engine::JobView> rows;
  for (const auto& [id, job] : jobs_) {
    const bool wanted =
        states.empty() || std::find(states.begin(), states.end(), job.row.state) != states.end();
    if (wanted && id > page.after && int64_t(rows.size()) < page.limit) rows.push_back(job);
  }
  return rows;
}

StatusOr<engine::JobView> ScriptedEngine::cancel(int64_t id) {
  KILN_RETURN_IF_ERROR(job(id).status());
  set_job(id, db::JobState::kCancelled);
  return job(id);
}

void ScriptedEngine::set_job(int64_t id, db::JobState state, int64_t measured) {
  {
    std::lock_guard lock(mutex_);
    engine::JobView& job = jobs_.at(id);
    job.row.state = state;
    job.progress.measured = measured;
    job.progress.rejected[Verdict::kCrashed] = 1;
  }
  tell(id);
}

void ScriptedEngine::tell(int64_t id) {
  std::vector<std::shared_ptr<Watcher>> watchers;
  engine::JobView job;
  {
    std::lock_guard lock(mutex_);
    watchers = watchers_;
    job = jobs_.at(id);
  }
  for (const std::shared_ptr<Watcher>& watcher : watchers) {
    std::lock_guard lock(watcher->mutex);
    if (watcher->job == id && watcher->observer) {
      watcher->observer(job, is_final(job.row.state));
    }
  }
}

StatusOr<std::shared_ptr<void>> ScriptedEngine::watch(
    int64_t id, std::function<void(const engine::JobView&, bool last)> observer) {
  KILN_ASSIGN_OR_RETURN(const engine::JobView now, job(id));
  auto watcher = std::make_shared<Watcher>();
  watcher->job = id;
  watcher->observer = std::move(observer);
  {
    std::lock_guard lock(mutex_);
    watchers_.push_back(watcher);
  }
  {
    std::lock_guard lock(watcher->mutex);
    watcher->observer(now, is_final(now.row.state));
  }
  return std::shared_ptr<void>(watcher.get(), [this, watcher](void*) {
    {
      std::lock_guard lock(watcher->mutex);
      watcher->observer = nullptr;
    }
    std::lock_guard lock(mutex_);
    std::erase(watchers_, watcher);
  });
}

void ScriptedEngine::add_winner(const Problem& problem) {
  std::lock_guard lock(mutex_);
  db::WinnerRow row;
  row.id = int64_t(winners_.size()) + 1;
  row.problem = reference(problem);
  row.fingerprint = device_->fingerprint().text();
  row.measurement = answer_.provenance.measurement;
  row.plan_json = to_json(*answer_.plan);
  winners_[row.id] = row;
}

StatusOr<db::WinnerRow> ScriptedEngine::winner(int64_t id) {
  std::lock_guard lock(mutex_);
  return found(winners_, id, "winner");
}

StatusOr<std::vector<db::WinnerRow>> ScriptedEngine::winners(const db::WinnerFilter& filter,
                                                             const db::Page& page) {
  std::lock_guard lock(mutex_);
  std::vector<db::WinnerRow> rows;
  for (const auto& [id, row] : winners_) {
    const bool wanted = filter.statics_key.empty() || filter.statics_key == row.problem.statics_key;
    if (wanted && id > page.after && int64_t(rows.size()) < page.limit) rows.push_back(row);
  }
  return rows;
}

StatusOr<std::vector<db::MeasurementRow>> ScriptedEngine::measurements(const db::WinnerRow& winner,
                                                                       const db::Page&) {
  db::MeasurementRow row;
  row.id = 31;
  row.measurement = winner.measurement;
  return std::vector<db::MeasurementRow>{row};
}

Status ScriptedEngine::delete_winner(int64_t id) {
  std::lock_guard lock(mutex_);
  if (winners_.erase(id) == 1) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("there is no winner ", id));
}

StatusOr<std::string> ScriptedEngine::export_json(const db::WinnerFilter&) {
  return std::string(1'000'000, 'x');
}

StatusOr<engine::ImportReport> ScriptedEngine::import_json(std::string_view document) {
  return engine::ImportReport{.added = int64_t(document.size()), .known = 1, .fingerprints = {"a"}};
}

std::vector<engine::DeviceView> ScriptedEngine::devices() {
  engine::DeviceView view;
  view.name = "host";
  view.fingerprint = device_->fingerprint();
  view.target = device_->target();
  view.toolchain = "clang";
  view.can_compile = true;
  return {view};
}

StatusOr<db::GcReport> ScriptedEngine::gc(const db::GcPolicy& policy) {
  return db::GcReport{1, policy.artifact_bytes, policy.measurements, 4};
}

std::vector<engine::Diagnosis> ScriptedEngine::doctor() {
  return {{"compiler of the host device", true, "clang", ""}};
}

}  // namespace kiln::testing
