// An engine for tests of what lies above it: serves one compiled variant of the trial family, and
// its jobs do what the test says.

#pragma once

#include <condition_variable>
#include <map>
#include <mutex>

#include "engine/engine.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/trial_family.h"

namespace kiln::testing {

class ScriptedEngine : public engine::Engine {
 public:
  ScriptedEngine();
  ~ScriptedEngine() override;

  // What the test says.
  void set_job(int64_t id, db::JobState state, int64_t measured = 0);
  void add_winner(const Problem& problem);
  // Serves this configuration from now on; tuned answers are final.
  void serve(Behaviour behaviour, bool tuned);
  void replace_artifact(std::shared_ptr<const Artifact> artifact);
  void serve_nothing();
  void fail_next(Status status);

  // What the test asks.
  const TrialFamily& trial() const { return family_; }
  int lookups() const;
  int waiting() const;
  int watchers() const;
  int64_t job_count() const;

  std::vector<const Family*> families() const override { return {&family_}; }
  StatusOr<const Family*> family(std::string_view name) const override;
  StatusOr<Problem> problem(
      std::string_view family,
      const std::vector<std::pair<std::string, Value>>& fields) const override;
  uint64_t generation() const override;
  StatusOr<engine::KernelAnswer> get_kernel(const Problem& problem, const std::string& device,
                                            const engine::Policy& policy,
                                            std::stop_token stop) override;
  StatusOr<engine::JobView> tune(const Problem& problem,
                                 const engine::TuneRequest& request) override;
  StatusOr<engine::JobView> job(int64_t id) override;
  StatusOr<std::vector<engine::JobView>> jobs(const std::vector<db::JobState>& states,
                                              const db::Page& page) override;
  StatusOr<engine::JobView> cancel(int64_t id) override;
  StatusOr<std::shared_ptr<void>> watch(
      int64_t id, std::function<void(const engine::JobView&, bool last)> observer) override;
  StatusOr<db::WinnerRow> winner(int64_t id) override;
  StatusOr<std::vector<db::WinnerRow>> winners(const db::WinnerFilter& filter,
                                               const db::Page& page) override;
  StatusOr<std::vector<db::MeasurementRow>> measurements(const db::WinnerRow& winner,
                                                         const db::Page& page) override;
  bool stale(const db::WinnerRow&) override { return true; }
  Status delete_winner(int64_t id) override;
  StatusOr<std::string> export_json(const db::WinnerFilter& filter) override;
  // Takes whatever it is given for measurements, a byte each.
  StatusOr<engine::ImportReport> import_json(std::string_view document) override;
  std::vector<engine::DeviceView> devices() override;
  void measure_peaks() override {}
  StatusOr<db::GcReport> gc(const db::GcPolicy& policy) override;
  std::vector<engine::Diagnosis> doctor() override;

 private:
  struct Watcher;
  void tell(int64_t id);

  ScratchDirectory cache_;
  TrialFamily family_;
  std::unique_ptr<devices::Device> device_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  engine::KernelAnswer answer_;
  uint64_t generation_ = 1;
  Status next_failure_;
  int lookups_ = 0;
  int waiting_ = 0;
  std::map<int64_t, engine::JobView> jobs_;
  std::map<int64_t, db::WinnerRow> winners_;
  std::vector<std::shared_ptr<Watcher>> watchers_;
};

}  // namespace kiln::testing
