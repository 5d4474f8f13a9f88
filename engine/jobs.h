// Tuning as durable jobs: queued, joined, run, cancelled, resumed.
//
// One job a problem key and device is active at a time; who asks for a second joins it. Every
// device has two lanes, each with its thread: foreground jobs in order of arrival, and background
// jobs, which the tuner lets run only when nothing else wants the device. A job that ends because
// the engine closes is queued again by the next. Thread-safe.

#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/problem.h"
#include "core/status.h"
#include "db/store.h"
#include "engine/catalogue.h"
#include "engine/engine.h"
#include "engine/job_options.h"
#include "engine/job_watch.h"
#include "engine/lookup.h"
#include "engine/served_device.h"

namespace kiln::engine {

class Jobs {
 public:
  // Told before the job counts as finished, so that who waited finds the answer; null: it failed.
  using OnFinished = std::function<void(const ServedDevice&, const Problem&, const Answer& answer)>;

  // All references outlive the jobs.
  Jobs(const Catalogue& catalogue, db::Store& store, Lookup& lookup,
       std::vector<const ServedDevice*> devices, OnFinished on_finished);
  ~Jobs();  // stops what runs

  // Queues again what the last process left. Jobs for devices that are not here stay queued in the
  // store; automatic ones are cancelled unless `automatic_too`.
  Status resume(bool automatic_too);

  // Joins the active job of the problem, or makes one. A foreground request makes a background job
  // it joins a foreground one, with its own options.
  StatusOr<JobView> start(const ServedDevice& device, const Problem& problem,
                          const std::string& request_id, const JobOptions& options);
  StatusOr<JobView> view(int64_t id);
  StatusOr<std::vector<JobView>> list(const std::vector<db::JobState>& states,
                                      const db::Page& page);
  StatusOr<JobView> cancel(int64_t id);
  StatusOr<std::shared_ptr<void>> watch(int64_t id, JobWatch::Observer observer);

  // Until the job is finished, the deadline has passed or `stop` is requested; true: finished.
  bool wait(int64_t id, std::chrono::steady_clock::time_point deadline,
            const std::stop_token& stop);
  size_t active() const;

 private:
  struct Job;
  using JobPointer = std::shared_ptr<Job>;
  struct Lane;

  Lane& lane_of(const Job& job);
  void enqueue(const JobPointer& job);  // the mutex is held
  void serve(Lane& lane, const std::stop_token& stop);
  void run(const JobPointer& job);
  StatusOr<Answer> tune(const JobPointer& job, const std::stop_token& stop);
  std::vector<Measurement> known_measurements(const Job& job);
  // What was imported, then what Lookup::candidates() finds.
  std::vector<Config> first_configs(const Job& job);
  void finish(const JobPointer& job, db::JobState state, const std::string& error);
  void persist(const db::JobRow& row);
  JobView view_of(const Job& job) const;  // the mutex is held
  void publish(const JobPointer& job);
  StatusOr<JobView> create(const ServedDevice& device, const Problem& problem,
                           const std::string& request_id, const JobOptions& options);
  StatusOr<JobView> join(const JobPointer& job, const JobOptions& options);

  const Catalogue& catalogue_;
  db::Store& store_;
  Lookup& lookup_;
  const std::vector<const ServedDevice*> devices_;
  const OnFinished on_finished_;
  JobWatch watch_;

  std::mutex create_mutex_;  // taken before mutex_: makes one job of simultaneous requests
  mutable std::mutex mutex_;
  std::condition_variable_any queued_;
  std::condition_variable_any finished_;
  std::map<int64_t, JobPointer> known_;             // active, and the last that finished
  std::map<std::string, int64_t> active_;           // by problem key and device
  std::map<std::string, int64_t> joined_requests_;  // request ids that joined another's job
  std::deque<int64_t> finished_order_;
  std::stop_source closing_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // last: their threads end first
};

}  // namespace kiln::engine
