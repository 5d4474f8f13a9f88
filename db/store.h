// What is remembered: devices, problems, every measurement, winners, jobs, artifacts.
//
// A Store is thread-safe. Writes are durable as each method says. Whatever is read back is checked
// (row checksums, artifact hashes); a damaged row or file reads as absent and is counted, never
// served. Every implementation passes tests/db/store_suite.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/artifact.h"
#include "core/fingerprint.h"
#include "core/measurement.h"
#include "core/status.h"

namespace kiln::db {

// Identifies what a row is about. `problem` is the canonical key, `exact` every field exactly.
struct ProblemRef {
  std::string family;
  std::string problem_key;
  std::string exact_key;
  std::string statics_key;
  std::string text;  // "batch=1 heads_q=32 …", all fields
};

// In place of a job: the measurement was not made here but read from a document.
inline constexpr int64_t kImported = 0;

struct MeasurementRow {
  int64_t id = 0;
  int64_t job_id = kImported;
  ProblemRef problem;
  std::string fingerprint;  // Fingerprint::text
  Measurement measurement;
};

struct WinnerRow {
  int64_t id = 0;
  ProblemRef problem;
  std::string fingerprint;
  Measurement measurement;              // of the final
  std::optional<Measurement> baseline;  // the default in the same final
  std::string plan_json;
  int64_t space_version = 0;
  int64_t schema_version = 0;
  int64_t evaluations = 0;
  int64_t created_unix_ns = 0;
};

enum class JobState : uint8_t { kQueued, kRunning, kSucceeded, kFailed, kCancelled };
inline constexpr std::array kJobStates = {JobState::kQueued, JobState::kRunning,
                                          JobState::kSucceeded, JobState::kFailed,
                                          JobState::kCancelled};
std::string_view name_of(JobState state);  // "queued", "running", …
std::optional<JobState> parse_job_state(std::string_view name);

struct JobRow {
  int64_t id = 0;
  std::string request_id;  // unique when not empty
  ProblemRef problem;
  std::string device;  // name, "host"
  std::string fingerprint;
  std::string options_json;  // budget, strategy, seed, …
  bool background = false;
  JobState state = JobState::kQueued;
  std::string error;      // of a failed job
  int64_t winner_id = 0;  // of a job that succeeded
  int64_t evaluations = 0;
  int64_t created_unix_ns = 0;
  int64_t started_unix_ns = 0;
  int64_t finished_unix_ns = 0;
};

// Filters are exact; empty means any.
struct WinnerFilter {
  std::string family = {};
  std::string fingerprint = {};
  std::string problem_key = {};
  std::string statics_key = {};
};

// Pages are in id order: rows with id > after, at most `limit`.
struct Page {
  int64_t after = 0;
  int64_t limit = 100;
};

struct GcPolicy {
  int64_t artifact_bytes = 1ll << 30;  // bound on stored artifacts
  int64_t measurements = 2'000'000;    // bound on rows, oldest go first; winners' own stay
};
struct GcReport {
  int64_t artifacts_removed = 0;
  int64_t bytes_removed = 0;
  int64_t measurements_removed = 0;
  int64_t orphans_removed = 0;  // files without a row, left by a crash
};

struct StoreHealth {
  int64_t damaged_rows = 0;  // seen since opening
  int64_t damaged_artifacts = 0;
  int64_t failed_writes = 0;
  std::string quarantined;  // where a corrupt database was set aside, if it was
};

class Store {
 public:
  virtual ~Store() = default;

  // Measurements may be grouped: lost at most the last 200 ms on power failure, none on kill -9.
  virtual StatusOr<int64_t> add_measurement(const MeasurementRow& row) = 0;
  // Of exactly this problem; of all with its problem key when `exact_key` is empty.
  virtual StatusOr<std::vector<MeasurementRow>> measurements(const ProblemRef& problem,
                                                             const std::string& fingerprint,
                                                             const Page& page) = 0;

  // Replaces the winner of the same problem key and fingerprint; durable when it returns. The new
  // one has a new id; the old one stays readable under its id until gc() finds its artifact gone.
  virtual StatusOr<int64_t> put_winner(const WinnerRow& row) = 0;
  virtual StatusOr<WinnerRow> winner(int64_t id) = 0;  // NOT_FOUND
  virtual StatusOr<std::optional<WinnerRow>> find_winner(const std::string& problem_key,
                                                         const std::string& fingerprint) = 0;
  virtual StatusOr<std::vector<WinnerRow>> winners(const WinnerFilter& filter,
                                                   const Page& page) = 0;
  virtual Status delete_winner(int64_t id) = 0;  // NOT_FOUND

  // Idempotent by request id: the existing job is returned unchanged.
  virtual StatusOr<JobRow> create_job(const JobRow& row) = 0;
  // All but request id, problem, device and time of creation. NOT_FOUND.
  virtual Status update_job(const JobRow& row) = 0;
  virtual StatusOr<JobRow> job(int64_t id) = 0;  // NOT_FOUND
  virtual StatusOr<std::vector<JobRow>> jobs(const std::vector<JobState>& states,
                                             const Page& page) = 0;

  // Content-addressed; a second put of the same hash is a no-op. Appears whole or not at all.
  virtual Status put_artifact(const Artifact& artifact) = 0;
  virtual StatusOr<std::optional<Artifact>> artifact(const std::string& hash) = 0;

  virtual StatusOr<GcReport> gc(const GcPolicy& policy) = 0;
  virtual StoreHealth health() const = 0;
};

struct SqliteOptions {
  std::string directory;  // holds kiln.db, kiln.lock, artifacts/; made with mode 0700
};

// Opens or makes a database. Errors: FAILED_PRECONDITION when another process holds it (its pid is
// named), when it comes from a newer version or is another program's; PERMISSION_DENIED or
// RESOURCE_EXHAUSTED as the file system says. A corrupt file is set aside under a dated name and a
// fresh one started (see health().quarantined).
StatusOr<std::unique_ptr<Store>> open_sqlite(const SqliteOptions& options);

}  // namespace kiln::db
