// The Engine in this process: devices, store, jobs and lookups put together.

#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "engine/answer_cache.h"
#include "engine/catalogue.h"
#include "engine/engine.h"
#include "engine/flights.h"
#include "engine/jobs.h"
#include "engine/lookup.h"
#include "engine/served_device.h"

namespace kiln::engine {

// Names a problem key on a device in the cache of answers.
std::string cache_key(const ServedDevice& device, const Problem& problem);

class LocalEngine final : public Engine {
 public:
  static StatusOr<std::unique_ptr<LocalEngine>> open(const EngineOptions& options,
                                                     Catalogue catalogue,
                                                     std::unique_ptr<db::Store> store);
  ~LocalEngine() override;

  std::vector<const Family*> families() const override { return catalogue_.families(); }
  StatusOr<const Family*> family(std::string_view name) const override {
    return catalogue_.family(name);
  }
  StatusOr<Problem> problem(
      std::string_view family,
      const std::vector<std::pair<std::string, Value>>& fields) const override;

  uint64_t generation() const override { return cache_.generation(); }
  StatusOr<KernelAnswer> get_kernel(const Problem& problem, const std::string& device,
                                    const Policy& policy, std::stop_token stop) override;

  StatusOr<JobView> tune(const Problem& problem, const TuneRequest& request) override;
  StatusOr<JobView> job(int64_t id) override { return jobs_->view(id); }
  StatusOr<std::vector<JobView>> jobs(const std::vector<db::JobState>& states,
                                      const db::Page& page) override {
    return jobs_->list(states, page);
  }
  StatusOr<JobView> cancel(int64_t id) override { return jobs_->cancel(id); }
  StatusOr<std::shared_ptr<void>> watch(
      int64_t id, std::function<void(const JobView&, bool last)> observer) override {
    return jobs_->watch(id, std::move(observer));
  }

  StatusOr<db::WinnerRow> winner(int64_t id) override { return store_->winner(id); }
  StatusOr<std::vector<db::WinnerRow>> winners(const db::WinnerFilter& filter,
                                               const db::Page& page) override {
    return store_->winners(filter, page);
  }
  StatusOr<std::vector<db::MeasurementRow>> measurements(const db::WinnerRow& winner,
                                                         const db::Page& page) override {
    return store_->measurements(winner.problem, winner.fingerprint, page);
  }
  bool stale(const db::WinnerRow& winner) override;
  Status delete_winner(int64_t id) override;
  StatusOr<std::string> export_json(const db::WinnerFilter& filter) override;
  StatusOr<ImportReport> import_json(std::string_view document) override;

  std::vector<DeviceView> devices() override;
  void measure_peaks() override;
  StatusOr<db::GcReport> gc(const db::GcPolicy& policy) override { return store_->gc(policy); }
  std::vector<Diagnosis> doctor() override;

 private:
  LocalEngine(const EngineOptions& options, Catalogue catalogue)
      : options_(options), catalogue_(std::move(catalogue)) {}

  // FAILED_PRECONDITION naming the device asked for and those served.
  StatusOr<const ServedDevice*> resolve(const std::string& name_or_fingerprint) const;
  Status check(const ServedDevice& device, const Problem& problem) const;

  struct Call;  // one get_kernel
  StatusOr<Answer> best_known(const Call& call);
  StatusOr<Answer> known_or_look_up(const Call& call, Answer Known::* kind);
  StatusOr<Answer> stand_in(const Call& call);
  StatusOr<Answer> wait_for_tuning(const Call& call);
  int64_t tune_in_background(const Call& call);
  KernelAnswer reply(const Call& call, const Answer& answer) const;
  void collect_in_background(const std::stop_token& stop);
  void on_finished(const ServedDevice& device, const Problem& problem, const Answer& answer);

  const EngineOptions options_;
  const Catalogue catalogue_;
  std::stop_source closing_;
  std::unique_ptr<db::Store> store_;
  std::mutex import_mutex_;  // of add_imported()
  std::vector<std::unique_ptr<ServedDevice>> devices_;
  std::map<std::string, Status> missing_;  // devices that were asked for and do not work
  std::unique_ptr<Lookup> lookup_;
  AnswerCache cache_;
  // Raised before winners change: what was looked up before that is not put into the cache after.
  std::atomic<int64_t> winners_changed_ = 0;
  Flights<StatusOr<Answer>> flights_;

  std::mutex collect_mutex_;
  std::condition_variable_any collect_wanted_;
  int finished_jobs_ = 0;  // since the last collection
  bool collect_ = true;    // first when the engine opens

  std::unique_ptr<Jobs> jobs_;  // these last: their threads use the others
  std::jthread collector_;
};

}  // namespace kiln::engine
