#include "db/sqlite/sqlite_store.h"

#include <fmt/format.h>

#include "core/key.h"

namespace kiln::db {
namespace {

Status status_of(const Status& status) {
  return status;
}
template <class T>
Status status_of(const StatusOr<T>& result) {
  return result.status();
}

// Failures of the store itself, as opposed to a row that is not there.
bool is_fault(const Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kInvalidArgument:
      return false;
    default:
      return true;
  }
}

Status no_such(std::string_view what, int64_t id) {
  return absl::NotFoundError(fmt::format("{} {} does not exist", what, id));
}

}  // namespace

template <class Read>
auto SqliteStore::read(Read read) -> decltype(read(std::declval<Tables>())) {
  using Result = decltype(read(std::declval<Tables>()));
  for (bool again = false;; again = true) {
    const int64_t generation = generation_;
    Result result = [&]() -> Result {
      std::lock_guard lock(read_mutex_);
      if (reader_ == nullptr) {
        return absl::UnavailableError(fmt::format("database {} is not open", path_));
      }
      return read(Tables{*reader_, damaged_rows_});
    }();
    if (again || !absl::IsDataLoss(status_of(result))) return result;
    repair(generation);
  }
}

template <class Write>
auto SqliteStore::write_once(Durability durability, Write write)
    -> decltype(write(std::declval<Tables>())) {
  KILN_RETURN_IF_ERROR(ready_to_write());
  const bool synced = durability == Durability::kSynced;
  if (synced != synced_mode_) {
    KILN_RETURN_IF_ERROR(
        writer_->execute(synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"));
    synced_mode_ = synced;
  }
  Transaction transaction(*writer_);
  KILN_RETURN_IF_ERROR(transaction.begun());
  auto result = write(Tables{*writer_, damaged_rows_});
  if (!status_of(result).ok()) return result;
  KILN_RETURN_IF_ERROR(transaction.commit());
  if (!synced) {
    std::lock_guard lock(sync_mutex_);
    unsynced_ = true;
    sync_wanted_.notify_one();
  }
  return result;
}

template <class Write>
auto SqliteStore::write_locked(Durability durability, Write write)
    -> decltype(write(std::declval<Tables>())) {
  auto result = write_once(durability, write);
  if (absl::IsDataLoss(status_of(result))) {
    {
      std::lock_guard lock(read_mutex_);
      rebuild().IgnoreError();  // told by the second attempt
    }
    result = write_once(durability, write);
  }
  if (is_fault(status_of(result))) ++failed_writes_;
  return result;
}

template <class Write>
auto SqliteStore::write(Durability durability, Write write)
    -> decltype(write(std::declval<Tables>())) {
  std::lock_guard lock(write_mutex_);
  return write_locked(durability, write);
}

StatusOr<int64_t> SqliteStore::add_measurement(const MeasurementRow& row) {
  MeasurementRow fresh = row;
  fresh.id = 0;
  return write(Durability::kGrouped,
               [&](Tables tables) { return insert_measurement(tables.connection, fresh); });
}

StatusOr<std::vector<MeasurementRow>> SqliteStore::measurements(const ProblemRef& problem,
                                                                const std::string& fingerprint,
                                                                const Page& page) {
  return read([&](Tables tables) { return read_measurements(tables, problem, fingerprint, page); });
}

StatusOr<int64_t> SqliteStore::put_winner(const WinnerRow& row) {
  WinnerRow fresh = row;
  fresh.id = 0;
  return write(Durability::kSynced,
               [&](Tables tables) { return insert_winner(tables.connection, fresh); });
}

StatusOr<WinnerRow> SqliteStore::winner(int64_t id) {
  KILN_ASSIGN_OR_RETURN(auto row, read([&](Tables tables) { return read_winner(tables, id); }));
  if (!row) return no_such("winner", id);
  return *std::move(row);
}

StatusOr<std::optional<WinnerRow>> SqliteStore::find_winner(const std::string& problem_key,
                                                            const std::string& fingerprint) {
  return read([&](Tables tables) { return read_winner(tables, problem_key, fingerprint); });
}

StatusOr<std::vector<WinnerRow>> SqliteStore::winners(const WinnerFilter& filter,
                                                      const Page& page) {
  return read([&](Tables tables) { return read_winners(tables, filter, page); });
}

Status SqliteStore::delete_winner(int64_t id) {
  return write(Durability::kSynced, [&](Tables tables) -> Status {
    KILN_ASSIGN_OR_RETURN(const bool deleted, delete_winner_row(tables.connection, id));
    return deleted ? absl::OkStatus() : no_such("winner", id);
  });
}

StatusOr<JobRow> SqliteStore::create_job(const JobRow& row) {
  return write(Durability::kSynced, [&](Tables tables) -> StatusOr<JobRow> {
    if (!row.request_id.empty()) {
      KILN_ASSIGN_OR_RETURN(auto known, read_job(tables, row.request_id));
      if (known) return *std::move(known);
      // A damaged row reads as absent but would still stand in the way.
      KILN_RETURN_IF_ERROR(delete_job_row(tables.connection, row.request_id));
    }
    JobRow created = row;
    created.id = 0;
    KILN_ASSIGN_OR_RETURN(created.id, insert_job(tables.connection, created));
    return created;
  });
}

Status SqliteStore::update_job(const JobRow& row) {
  return write(Durability::kSynced, [&](Tables tables) -> Status {
    KILN_ASSIGN_OR_RETURN(auto known, read_job(tables, row.id));
    if (!known) return no_such("job", row.id);
    JobRow updated = row;  // what never changes is taken from the database
    updated.request_id = known->request_id;
    updated.problem = known->problem;
    updated.device = known->device;
    updated.fingerprint = known->fingerprint;
    updated.created_unix_ns = known->created_unix_ns;
    return update_job_row(tables.connection, updated);
  });
}

StatusOr<JobRow> SqliteStore::job(int64_t id) {
  KILN_ASSIGN_OR_RETURN(auto row, read([&](Tables tables) { return read_job(tables, id); }));
  if (!row) return no_such("job", id);
  return *std::move(row);
}

StatusOr<std::vector<JobRow>> SqliteStore::jobs(const std::vector<JobState>& states,
                                                const Page& page) {
  return read([&](Tables tables) { return read_jobs(tables, states, page); });
}

Status SqliteStore::put_artifact(const Artifact& artifact) {
  if (!ArtifactFiles::is_hash(artifact.hash) || digest(artifact.bytes) != artifact.hash) {
    return invalid_field("hash", artifact.hash, "the digest of the artifact's bytes");
  }
  std::lock_guard lock(write_mutex_);
  const auto stored = files_.read(artifact.hash);
  if (!stored.ok() || !stored->has_value()) {
    // Here, so that a read-only directory is told as such before a file is tried.
    Status written = ready_to_write();
    if (written.ok()) written = files_.put(artifact.hash, artifact.bytes);
    if (!written.ok()) {
      ++failed_writes_;
      return written;
    }
  }
  return write_locked(Durability::kGrouped, [&](Tables tables) {
    return insert_artifact(tables.connection, artifact, int64_t(artifact.bytes.size()), ++uses_);
  });
}

StatusOr<std::optional<Artifact>> SqliteStore::artifact(const std::string& hash) {
  if (!ArtifactFiles::is_hash(hash)) return std::nullopt;
  KILN_ASSIGN_OR_RETURN(auto row, read([&](Tables tables) { return read_artifact(tables, hash); }));
  if (!row) return std::nullopt;
  auto bytes = files_.read(hash);
  if (absl::IsDataLoss(bytes.status())) {
    ++damaged_artifacts_;
    KILN_RETURN_IF_ERROR(drop_artifact(hash));
    return std::nullopt;
  }
  KILN_RETURN_IF_ERROR(bytes.status());
  if (!bytes->has_value()) return std::nullopt;
  row->artifact.bytes = **std::move(bytes);
  {
    std::lock_guard lock(use_mutex_);
    recent_uses_[hash] = ++uses_;
  }
  return std::move(row->artifact);
}

Status SqliteStore::drop_artifact(const std::string& hash) {
  std::lock_guard lock(write_mutex_);
  // It may have been put again since.
  if (!absl::IsDataLoss(files_.read(hash).status())) return absl::OkStatus();
  write_locked(Durability::kGrouped, [&](Tables tables) {
    return delete_artifact_row(tables.connection, hash);
  }).IgnoreError();  // without the row the file would be an orphan, with it a miss: both are safe
  return files_.remove(hash);
}

StoreHealth SqliteStore::health() const {
  std::lock_guard lock(quarantine_mutex_);
  return {damaged_rows_, damaged_artifacts_, failed_writes_, quarantined_};
}

}  // namespace kiln::db
