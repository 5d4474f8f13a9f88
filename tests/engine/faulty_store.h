// A store whose disk can be made full: every write fails then, reading goes on.

#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "db/store.h"

namespace kiln::engine::testing {

class FaultyStore final : public db::Store {
 public:
  FaultyStore(std::unique_ptr<db::Store> store, std::shared_ptr<std::atomic<bool>> full)
      : store_(std::move(store)), full_(std::move(full)) {}

  StatusOr<int64_t> add_measurement(const db::MeasurementRow& row) override {
    if (*full_) return fault();
    return store_->add_measurement(row);
  }
  StatusOr<std::vector<db::MeasurementRow>> measurements(const db::ProblemRef& problem,
                                                         const std::string& fingerprint,
                                                         const db::Page& page) override {
    return store_->measurements(problem, fingerprint, page);
  }
  StatusOr<int64_t> put_winner(const db::WinnerRow& row) override {
    if (*full_) return fault();
    return store_->put_winner(row);
  }
  StatusOr<db::WinnerRow> winner(int64_t id) override { return store_->winner(id); }
  StatusOr<std::optional<db::WinnerRow>> find_winner(const std::string& problem_key,
                                                     const std::string& fingerprint) override {
    return store_->find_winner(problem_key, fingerprint);
  }
  StatusOr<std::vector<db::WinnerRow>> winners(const db::WinnerFilter& filter,
                                               const db::Page& page) override {
    return store_->winners(filter, page);
  }
  Status delete_winner(int64_t id) override {
    if (*full_) return fault();
    return store_->delete_winner(id);
  }
  StatusOr<db::JobRow> create_job(const db::JobRow& row) override {
    if (*full_) return fault();
    return store_->create_job(row);
  }
  Status update_job(const db::JobRow& row) override {
    if (*full_) return fault();
    return store_->update_job(row);
  }
  StatusOr<db::JobRow> job(int64_t id) override { return store_->job(id); }
  StatusOr<std::vector<db::JobRow>> jobs(const std::vector<db::JobState>& states,
                                         const db::Page& page) override {
    return store_->jobs(states, page);
  }
  Status put_artifact(const Artifact& artifact) override {
    if (*full_) return fault();
    return store_->put_artifact(artifact);
  }
  StatusOr<std::optional<Artifact>> artifact(const std::string& hash) override {
    return store_->artifact(hash);
  }
  StatusOr<db::GcReport> gc(const db::GcPolicy& policy) override { return store_->gc(policy); }
  db::StoreHealth health() const override { return store_->health(); }

 private:
  static Status fault() { return absl::ResourceExhaustedError("the disk is full"); }

  std::unique_ptr<db::Store> store_;
  std::shared_ptr<std::atomic<bool>> full_;
};

}  // namespace kiln::engine::testing
