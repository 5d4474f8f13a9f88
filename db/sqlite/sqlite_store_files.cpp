// Opening, rebuilding, syncing and collecting: what SqliteStore does with its files.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>

#include "db/sqlite/quarantine.h"
#include "db/sqlite/schema.h"
#include "db/sqlite/sqlite_store.h"
#include "db/sqlite/state_directory.h"

namespace kiln::db {
namespace {

constexpr std::chrono::milliseconds kSyncInterval{200};
// A full check reads about 200 MB/s; larger files are checked as they are read, row by row.
constexpr int64_t kCheckedAtOpening = 32 << 20;

int64_t size_of(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : int64_t(size);
}

Status check_integrity(Connection& connection) {
  if (size_of(connection.path()) > kCheckedAtOpening) return absl::OkStatus();
  Statement row = connection.prepare("PRAGMA integrity_check(1)");
  const std::string verdict = row.next() ? row.text(0) : "ok";
  KILN_RETURN_IF_ERROR(row.status());
  if (verdict == "ok") return absl::OkStatus();
  return absl::DataLossError(fmt::format("database {}: {}", connection.path(), verdict));
}

bool cannot_write(const Status& status) {
  return absl::IsPermissionDenied(status) || absl::IsResourceExhausted(status);
}

}  // namespace

StatusOr<std::unique_ptr<Store>> open_sqlite(const SqliteOptions& options) {
  return SqliteStore::open(options.directory);
}

SqliteStore::SqliteStore(const std::string& directory)
    : directory_(directory), path_(directory + "/kiln.db"), files_(directory + "/artifacts") {}

StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& directory) {
  KILN_RETURN_IF_ERROR(prepare_state_directory(directory));
  std::unique_ptr<SqliteStore> store(new SqliteStore(directory));
  KILN_RETURN_IF_ERROR(store->open_or_rebuild());
  store->syncer_ = std::jthread(
      [raw = store.get()](const std::stop_token& stop) { raw->sync_log_in_background(stop); });
  return store;
}

SqliteStore::~SqliteStore() {
  syncer_ = {};
  std::lock_guard lock(write_mutex_);
  if (writer_ != nullptr) flush_uses().IgnoreError();  // an order of use lost at worst
  reader_.reset();
  writer_.reset();  // last: moves the log into the database
}

Status SqliteStore::open_or_rebuild() {
  Status opened = open_connections();
  if (absl::IsDataLoss(opened)) return rebuild();
  if (cannot_write(opened)) return open_for_reading(opened);
  return opened;
}

Status SqliteStore::open_connections() {
  const int64_t newest = int64_t(migrations().size());
  if (!lock_) {
    KILN_ASSIGN_OR_RETURN(LockFile lock, LockFile::acquire(directory_ + "/kiln.lock"));
    lock_.emplace(std::move(lock));
  }
  KILN_RETURN_IF_ERROR(files_.prepare());
  KILN_RETURN_IF_ERROR(check_header(path_, newest));
  if (size_of(path_) > 0) {
    // For reading first, so that a refused file is left as it is. A half-made database may not open
    // this way; then the writer decides.
    auto probe = Connection::open(path_, Connection::Mode::kRead);
    const Status known = probe.ok() ? check_identity(**probe, newest) : probe.status();
    if (absl::IsFailedPrecondition(known) || absl::IsDataLoss(known)) return known;
  }
  KILN_ASSIGN_OR_RETURN(auto writer, Connection::open(path_, Connection::Mode::kWrite));
  KILN_RETURN_IF_ERROR(check_identity(*writer, newest));
  KILN_RETURN_IF_ERROR(
      writer->execute("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; "
                      "PRAGMA journal_size_limit = 16777216; PRAGMA synchronous = FULL"));
  KILN_RETURN_IF_ERROR(check_integrity(*writer));
  KILN_RETURN_IF_ERROR(migrate(*writer, migrations()));
  KILN_ASSIGN_OR_RETURN(auto reader, Connection::open(path_, Connection::Mode::kRead));
  KILN_ASSIGN_OR_RETURN(uses_, last_used(*writer));
  writer_ = std::move(writer);
  reader_ = std::move(reader);
  synced_mode_ = true;
  not_writable_ = absl::OkStatus();
  return absl::OkStatus();
}

Status SqliteStore::open_for_reading(const Status& reason) {
  not_writable_ = annotate(reason, "the store is open for reading only");
  if (size_of(path_) == 0) return reason;
  for (auto mode : {Connection::Mode::kRead, Connection::Mode::kImmutable}) {
    // Without memory for its log SQLite cannot see what the log holds; then nothing is better than
    // an old state.
    if (mode == Connection::Mode::kImmutable && size_of(path_ + "-wal") > 0) break;
    auto reader = Connection::open(path_, mode);
    if (!reader.ok()) continue;
    Status known = check_identity(**reader, int64_t(migrations().size()));
    if (absl::IsFailedPrecondition(known)) return known;
    if (!known.ok()) continue;
    reader_ = *std::move(reader);
    return absl::OkStatus();
  }
  return reason;
}

Status SqliteStore::rebuild() {
  reader_.reset();
  writer_.reset();
  ++generation_;
  KILN_ASSIGN_OR_RETURN(const std::string aside, set_aside(path_));
  {
    std::lock_guard lock(quarantine_mutex_);
    quarantined_ = aside;
  }
  KILN_RETURN_IF_ERROR(open_connections());
  return salvage(aside, *writer_, damaged_rows_).status();
}

void SqliteStore::repair(int64_t generation) {
  std::scoped_lock lock(write_mutex_, read_mutex_);
  if (generation_ == generation) rebuild().IgnoreError();  // told by the next attempt to read
}

Status SqliteStore::ready_to_write() {
  if (writer_ != nullptr) return absl::OkStatus();
  std::lock_guard lock(read_mutex_);
  std::unique_ptr<Connection> reader = std::move(reader_);
  Status opened = open_connections();
  if (opened.ok()) return opened;
  reader_ = std::move(reader);  // reading goes on as before
  return not_writable_.ok() ? opened : not_writable_;
}

void SqliteStore::sync_log_in_background(const std::stop_token& stop) {
  const std::string log = path_ + "-wal";
  std::unique_lock lock(sync_mutex_);
  while (sync_wanted_.wait(lock, stop, [&] { return unsynced_; })) {
    unsynced_ = false;
    // Gathers what comes next; cut short when the store closes.
    sync_wanted_.wait_for(lock, stop, kSyncInterval / 2, [] { return false; });
    lock.unlock();
    // SQLite holds its locks on the database and the shared memory, so that closing this
    // descriptor of the log drops none of them.
    if (const int descriptor = ::open(log.c_str(), O_RDONLY | O_CLOEXEC); descriptor >= 0) {
      if (::fdatasync(descriptor) != 0) ++failed_writes_;
      ::close(descriptor);
    }
    lock.lock();
  }
}

Status SqliteStore::flush_uses() {
  std::map<std::string, int64_t> uses;
  {
    std::lock_guard lock(use_mutex_);
    uses.swap(recent_uses_);
  }
  if (uses.empty()) return absl::OkStatus();
  Transaction transaction(*writer_);
  KILN_RETURN_IF_ERROR(transaction.begun());
  for (const auto& [hash, used] : uses)
    KILN_RETURN_IF_ERROR(mark_used(*writer_, hash, used));
  return transaction.commit();
}

StatusOr<GcReport> SqliteStore::gc(const GcPolicy& policy) {
  std::lock_guard lock(write_mutex_);
  KILN_RETURN_IF_ERROR(ready_to_write());
  GcReport report;
  KILN_RETURN_IF_ERROR(flush_uses());
  KILN_ASSIGN_OR_RETURN(report.orphans_removed, files_.remove_temporaries());

  KILN_ASSIGN_OR_RETURN(const auto artifacts, artifacts_by_use(*writer_));
  KILN_ASSIGN_OR_RETURN(const auto present, files_.list());
  std::set<std::string> files(present.begin(), present.end());
  std::vector<std::string> removed;
  Transaction transaction(*writer_);
  KILN_RETURN_IF_ERROR(transaction.begun());
  int64_t kept_bytes = 0;
  for (const Kept& artifact : artifacts) {
    const bool has_file = files.erase(artifact.hash) > 0;
    if (has_file && (artifact.of_winner || kept_bytes + artifact.size <= policy.artifact_bytes)) {
      kept_bytes += artifact.size;
      continue;
    }
    KILN_RETURN_IF_ERROR(delete_artifact_row(*writer_, artifact.hash));
    if (!has_file) continue;
    removed.push_back(artifact.hash);
    ++report.artifacts_removed;
    report.bytes_removed += artifact.size;
  }
  KILN_RETURN_IF_ERROR(trim_winners(*writer_));
  KILN_ASSIGN_OR_RETURN(report.measurements_removed,
                        trim_measurements(*writer_, std::max<int64_t>(policy.measurements, 0)));
  KILN_RETURN_IF_ERROR(transaction.commit());

  // Rows go before files: a kill in between leaves an orphan for the next collection.
  for (const std::string& hash : removed)
    KILN_RETURN_IF_ERROR(files_.remove(hash));
  for (const std::string& hash : files) {
    KILN_RETURN_IF_ERROR(files_.remove(hash));
    ++report.orphans_removed;
  }
  KILN_RETURN_IF_ERROR(
      writer_->execute("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)"));
  return report;
}

}  // namespace kiln::db
