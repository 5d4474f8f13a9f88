#include "engine/jobs.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/key.h"
#include "engine/job.h"

namespace kiln::engine {
namespace {

constexpr size_t kFinishedKept = 256;  // finished jobs whose last progress is remembered
constexpr size_t kMaxJoinedRequests = 10'000;
constexpr std::chrono::milliseconds kCancelWait{1'500};

}  // namespace

Jobs::Jobs(const Catalogue& catalogue, db::Store& store, Lookup& lookup,
           std::vector<const ServedDevice*> devices, OnFinished on_finished)
    : catalogue_(catalogue),
      store_(store),
      lookup_(lookup),
      devices_(std::move(devices)),
      on_finished_(std::move(on_finished)) {
  for (const ServedDevice* device : devices_) {
    for (bool background : {false, true}) {
      auto lane = std::make_unique<Lane>();
      lane->device = device;
      lane->background = background;
      lanes_.push_back(std::move(lane));
    }
  }
  for (const auto& lane : lanes_) {
    lane->thread =
        std::jthread([this, raw = lane.get()](const std::stop_token& stop) { serve(*raw, stop); });
  }
}

Jobs::~Jobs() {
  {
    std::lock_guard lock(mutex_);
    closing_.request_stop();
    for (const auto& [id, job] : known_)
      job->stop.request_stop();
  }
  for (const auto& lane : lanes_)
    lane->thread.request_stop();
  lanes_.clear();
}

Jobs::Lane& Jobs::lane_of(const Job& job) {
  return **std::find_if(lanes_.begin(), lanes_.end(), [&](const auto& lane) {
    return lane->device == job.device && lane->background == job.row.background;
  });
}

void Jobs::enqueue(const JobPointer& job) {
  known_[job->row.id] = job;
  active_[job->key] = job->row.id;
  lane_of(*job).queue.push_back(job);
  queued_.notify_all();
}

Status Jobs::resume(bool automatic_too) {
  KILN_ASSIGN_OR_RETURN(
      const auto rows,
      store_.jobs({db::JobState::kQueued, db::JobState::kRunning}, {.after = 0, .limit = 100'000}));
  for (db::JobRow row : rows) {
    const auto device =
        std::find_if(devices_.begin(), devices_.end(), [&](const ServedDevice* candidate) {
          return candidate->fingerprint_text() == row.fingerprint &&
                 candidate->name() == row.device;
        });
    if (device == devices_.end()) continue;
    const auto options = job_options_from_json(row.options_json);
    const auto problem = catalogue_.problem_of(row.problem);
    if (!options.ok() || !problem.ok()) {
      row.state = db::JobState::kFailed;
      row.error = (options.ok() ? problem.status() : options.status()).ToString();
      persist(row);
      continue;
    }
    if (options->automatic && !automatic_too) {
      row.state = db::JobState::kCancelled;
      row.error = "background tuning is off";
      persist(row);
      continue;
    }
    if (row.state != db::JobState::kQueued) {
      row.state = db::JobState::kQueued;
      persist(row);
    }
    auto job = std::make_shared<Job>(row, *problem, **device, *options);
    std::lock_guard lock(mutex_);
    enqueue(job);
  }
  return absl::OkStatus();
}

StatusOr<JobView> Jobs::start(const ServedDevice& device, const Problem& problem,
                              const std::string& request_id, const JobOptions& options) {
  KILN_RETURN_IF_ERROR(check(options.tune));
  std::lock_guard one_at_a_time(create_mutex_);
  int64_t joined = 0;
  JobPointer active;
  {
    std::lock_guard lock(mutex_);
    if (const auto known = joined_requests_.find(request_id);
        !request_id.empty() && known != joined_requests_.end()) {
      joined = known->second;
    } else if (const auto same = active_.find(Job::key_of(device, problem));
               same != active_.end()) {
      active = known_.at(same->second);
      if (!request_id.empty() && active->row.request_id != request_id) {
        if (joined_requests_.size() >= kMaxJoinedRequests) joined_requests_.clear();
        joined_requests_[request_id] = active->row.id;
      }
    }
  }
  if (joined != 0) return view(joined);
  if (active != nullptr) return join(active, options);
  return create(device, problem, request_id, options);
}

StatusOr<JobView> Jobs::join(const JobPointer& job, const JobOptions& options) {
  db::JobRow changed;
  {
    std::lock_guard lock(mutex_);
    const bool promote = job->row.background &&
                         options.tune.priority == tuner::Priority::kForeground && !job->cancelled &&
                         active_.contains(job->key);
    if (!promote) return view_of(*job);
    if (job->row.state == db::JobState::kQueued) {
      std::erase(lane_of(*job).queue, job);
    } else {
      job->stop.request_stop();  // its lane ends it and finds that it goes on in the other
    }
    job->options = options;
    job->row.background = false;
    job->row.options_json = to_json(options);
    if (job->row.state == db::JobState::kQueued) enqueue(job);
    changed = job->row;
  }
  persist(changed);
  std::lock_guard lock(mutex_);
  return view_of(*job);
}

StatusOr<JobView> Jobs::create(const ServedDevice& device, const Problem& problem,
                               const std::string& request_id, const JobOptions& options) {
  db::JobRow row;
  row.request_id = request_id;
  row.problem = reference_to(problem);
  row.device = device.name();
  row.fingerprint = device.fingerprint_text();
  row.options_json = to_json(options);
  row.background = options.tune.priority == tuner::Priority::kBackground;
  row.created_unix_ns = unix_now_ns();
  if (!options.force) {
    if (const auto winner = lookup_.fresh_winner(device, problem)) {
      row.state = db::JobState::kSucceeded;
      row.winner_id = winner->id;
      row.finished_unix_ns = row.created_unix_ns;
    }
  }
  if (row.state == db::JobState::kQueued) {
    KILN_RETURN_IF_ERROR(device.tuner().status());
  }
  const int64_t created = row.created_unix_ns;
  KILN_ASSIGN_OR_RETURN(row, store_.create_job(row));
  const bool is_new = row.created_unix_ns == created && row.state == db::JobState::kQueued;
  if (!is_new) return view(row.id);
  auto job = std::make_shared<Job>(row, problem, device, options);
  std::lock_guard lock(mutex_);
  if (closing_.stop_requested()) return absl::CancelledError("the engine is closing");
  enqueue(job);
  return view_of(*job);
}

JobView Jobs::view_of(const Job& job) const {
  return {job.row, job.progress};
}

StatusOr<JobView> Jobs::view(int64_t id) {
  {
    std::lock_guard lock(mutex_);
    if (const auto known = known_.find(id); known != known_.end()) return view_of(*known->second);
  }
  JobView result;
  KILN_ASSIGN_OR_RETURN(result.row, store_.job(id));
  result.progress.phase = is_final(result.row.state) ? tuner::Progress::Phase::kDone
                                                     : tuner::Progress::Phase::kPreparing;
  return result;
}

StatusOr<std::vector<JobView>> Jobs::list(const std::vector<db::JobState>& states,
                                          const db::Page& page) {
  KILN_ASSIGN_OR_RETURN(auto rows, store_.jobs(states, page));
  std::vector<JobView> views;
  views.reserve(rows.size());
  std::lock_guard lock(mutex_);
  for (db::JobRow& row : rows) {
    const auto known = known_.find(row.id);
    if (known != known_.end()) {
      views.push_back(view_of(*known->second));
      continue;
    }
    JobView& view = views.emplace_back();
    view.row = std::move(row);
    view.progress.phase = is_final(view.row.state) ? tuner::Progress::Phase::kDone
                                                   : tuner::Progress::Phase::kPreparing;
  }
  return views;
}

StatusOr<JobView> Jobs::cancel(int64_t id) {
  JobPointer job;
  bool was_queued = false;
  {
    std::lock_guard lock(mutex_);
    const auto known = known_.find(id);
    if (known != known_.end() && !is_final(known->second->row.state)) {
      job = known->second;
      job->cancelled = true;
      job->stop.request_stop();
      auto& queue = lane_of(*job).queue;
      was_queued = std::erase(queue, job) > 0;
    }
  }
  if (job == nullptr) {
    KILN_ASSIGN_OR_RETURN(JobView present, view(id));
    if (is_final(present.row.state)) return present;
    // Of a device that is not here: nobody runs it.
    present.row.state = db::JobState::kCancelled;
    present.row.finished_unix_ns = unix_now_ns(present.row.created_unix_ns);
    KILN_RETURN_IF_ERROR(store_.update_job(present.row));
    return present;
  }
  if (was_queued) {
    finish(job, db::JobState::kCancelled, "");
  } else {
    wait(id, std::chrono::steady_clock::now() + kCancelWait, {});
  }
  return view(id);
}

StatusOr<std::shared_ptr<void>> Jobs::watch(int64_t id, JobWatch::Observer observer) {
  KILN_ASSIGN_OR_RETURN(const JobView stored, view(id));
  // Under the lock, so that no change falls between the view and the subscription.
  std::lock_guard lock(mutex_);
  const auto known = known_.find(id);
  const JobView now = known != known_.end() ? view_of(*known->second) : stored;
  return watch_.add(now, is_final(now.row.state), std::move(observer));
}

bool Jobs::wait(int64_t id, std::chrono::steady_clock::time_point deadline,
                const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto finished = [&] {
    const auto known = known_.find(id);
    return known == known_.end() || is_final(known->second->row.state);
  };
  // A closing engine ends all waits.
  std::stop_callback wake(closing_.get_token(), [&] { finished_.notify_all(); });
  const auto done = [&] { return finished() || closing_.stop_requested(); };
  if (deadline == std::chrono::steady_clock::time_point::max()) {
    finished_.wait(lock, stop, done);
  } else {
    finished_.wait_until(lock, stop, deadline, done);
  }
  return finished();
}

size_t Jobs::active() const {
  std::lock_guard lock(mutex_);
  return active_.size();
}

void Jobs::publish(const JobPointer& job) {
  if (!watch_.watched(job->row.id)) return;
  std::lock_guard lock(mutex_);
  watch_.publish(view_of(*job), is_final(job->row.state));
}

void Jobs::persist(const db::JobRow& row) {
  const Status kept = store_.update_job(row);
  if (!kept.ok()) spdlog::warn("job {}: its state was not stored: {}", row.id, kept.ToString());
}

void Jobs::finish(const JobPointer& job, db::JobState state, const std::string& error) {
  db::JobRow row;
  {
    std::lock_guard lock(mutex_);
    row = job->row;
  }
  row.state = state;
  row.error = error;
  row.finished_unix_ns = unix_now_ns(std::max(row.created_unix_ns, row.started_unix_ns));
  persist(row);
  {
    std::lock_guard lock(mutex_);
    job->row = row;
    job->progress.phase = tuner::Progress::Phase::kDone;
    active_.erase(job->key);
    finished_order_.push_back(row.id);
    while (finished_order_.size() > kFinishedKept) {
      known_.erase(finished_order_.front());
      finished_order_.pop_front();
    }
  }
  publish(job);
  finished_.notify_all();
}

}  // namespace kiln::engine
