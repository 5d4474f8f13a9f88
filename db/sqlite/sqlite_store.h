// The Store in one SQLite file with a write-ahead log, artifacts as files beside it.
//
// One connection writes and checkpoints, one only reads; each has its mutex, so that reading does
// not wait for a sync. Jobs and winners are synced before their call returns; measurements reach
// the system at once (a killed process loses none) and the disk within 200 ms.
//
// A file that turns out to be damaged, at opening or later, is set aside and rebuilt. Where the
// directory cannot be written (read-only, full), the store opens for reading if it can, and tries
// to write again at every write.

#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "db/sqlite/artifact_files.h"
#include "db/sqlite/connection.h"
#include "db/sqlite/lock_file.h"
#include "db/sqlite/tables.h"
#include "db/store.h"

namespace kiln::db {

class SqliteStore final : public Store {
 public:
  static StatusOr<std::unique_ptr<SqliteStore>> open(const std::string& directory);
  ~SqliteStore() override;

  StatusOr<int64_t> add_measurement(const MeasurementRow& row) override;
  StatusOr<std::vector<MeasurementRow>> measurements(const ProblemRef& problem,
                                                     const std::string& fingerprint,
                                                     const Page& page) override;
  StatusOr<int64_t> put_winner(const WinnerRow& row) override;
  StatusOr<WinnerRow> winner(int64_t id) override;
  StatusOr<std::optional<WinnerRow>> find_winner(const std::string& problem_key,
                                                 const std::string& fingerprint) override;
  StatusOr<std::vector<WinnerRow>> winners(const WinnerFilter& filter, const Page& page) override;
  Status delete_winner(int64_t id) override;
  StatusOr<JobRow> create_job(const JobRow& row) override;
  Status update_job(const JobRow& row) override;
  StatusOr<JobRow> job(int64_t id) override;
  StatusOr<std::vector<JobRow>> jobs(const std::vector<JobState>& states,
                                     const Page& page) override;
  Status put_artifact(const Artifact& artifact) override;
  StatusOr<std::optional<Artifact>> artifact(const std::string& hash) override;
  StatusOr<GcReport> gc(const GcPolicy& policy) override;
  StoreHealth health() const override;

 private:
  enum class Durability : uint8_t { kGrouped, kSynced };

  explicit SqliteStore(const std::string& directory);

  // Both mutexes are held, or nobody else knows this object.
  Status open_connections();
  Status open_for_reading(const Status& reason);
  Status open_or_rebuild();
  Status rebuild();

  template <class Read>
  auto read(Read read) -> decltype(read(std::declval<Tables>()));
  template <class Write>
  auto write(Durability durability, Write write) -> decltype(write(std::declval<Tables>()));
  // The write mutex is held.
  template <class Write>
  auto write_locked(Durability durability, Write write) -> decltype(write(std::declval<Tables>()));
  template <class Write>
  auto write_once(Durability durability, Write write) -> decltype(write(std::declval<Tables>()));
  Status ready_to_write();
  void repair(int64_t generation);

  Status flush_uses();  // the write mutex is held
  Status drop_artifact(const std::string& hash);
  void sync_log_in_background(const std::stop_token& stop);

  const std::string directory_;
  const std::string path_;
  ArtifactFiles files_;
  std::optional<LockFile> lock_;

  std::mutex write_mutex_;  // taken before read_mutex_
  std::unique_ptr<Connection> writer_;
  Status not_writable_;  // why writer_ is null
  bool synced_mode_ = false;
  int64_t uses_ = 0;  // order of artifact uses so far

  std::mutex read_mutex_;
  std::unique_ptr<Connection> reader_;

  std::mutex use_mutex_;
  std::map<std::string, int64_t> recent_uses_;  // not in the database yet

  std::atomic<int64_t> generation_ = 0;  // counts rebuilt databases
  std::atomic<int64_t> damaged_rows_ = 0;
  std::atomic<int64_t> damaged_artifacts_ = 0;
  std::atomic<int64_t> failed_writes_ = 0;
  mutable std::mutex quarantine_mutex_;
  std::string quarantined_;

  std::mutex sync_mutex_;
  std::condition_variable_any sync_wanted_;
  bool unsynced_ = false;
  std::jthread syncer_;  // last: ends before what it uses
};

}  // namespace kiln::db
