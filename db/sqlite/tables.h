// Rows of each table, read and written through one connection.
//
// These functions hold no lock and begin no transaction: their caller does. Reading skips rows
// whose checksum does not match and counts them in `damaged`. A row with id 0 gets the next id.

#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/status.h"
#include "db/sqlite/connection.h"
#include "db/store.h"

namespace kiln::db {

struct Tables {
  Connection& connection;
  std::atomic<int64_t>& damaged;
};

// measurement_table.cpp
StatusOr<int64_t> insert_measurement(Connection& connection, const MeasurementRow& row);
StatusOr<std::vector<MeasurementRow>> read_measurements(Tables tables, const ProblemRef& problem,
                                                        const std::string& fingerprint,
                                                        const Page& page);
// Of all problems, by id; the salvage reads them from both ends of a damaged file.
StatusOr<std::vector<MeasurementRow>> read_all_measurements(Tables tables, const Page& page,
                                                            bool descending);
// Keeps the newest `keep` rows and those of winners.
StatusOr<int64_t> trim_measurements(Connection& connection, int64_t keep);

// winner_table.cpp
StatusOr<int64_t> insert_winner(Connection& connection, const WinnerRow& row);
StatusOr<std::optional<WinnerRow>> read_winner(Tables tables, int64_t id);
StatusOr<std::optional<WinnerRow>> read_winner(Tables tables, const std::string& problem_key,
                                               const std::string& fingerprint);
StatusOr<std::vector<WinnerRow>> read_winners(Tables tables, const WinnerFilter& filter,
                                              const Page& page);
StatusOr<std::vector<WinnerRow>> read_all_winners(Tables tables, const Page& page, bool descending);
StatusOr<bool> delete_winner_row(Connection& connection, int64_t id);
// Forgets replaced winners whose artifact is no longer stored.
Status trim_winners(Connection& connection);

// job_table.cpp
StatusOr<int64_t> insert_job(Connection& connection, const JobRow& row);
Status update_job_row(Connection& connection, const JobRow& row);  // NOT_FOUND
Status delete_job_row(Connection& connection, const std::string& request_id);
StatusOr<std::optional<JobRow>> read_job(Tables tables, int64_t id);
StatusOr<std::optional<JobRow>> read_job(Tables tables, const std::string& request_id);
StatusOr<std::vector<JobRow>> read_jobs(Tables tables, const std::vector<JobState>& states,
                                        const Page& page);
StatusOr<std::vector<JobRow>> read_all_jobs(Tables tables, const Page& page, bool descending);

// artifact_table.cpp; rows without the bytes
struct ArtifactRow {
  Artifact artifact;
  int64_t size = 0;
};
Status insert_artifact(Connection& connection, const Artifact& artifact, int64_t size,
                       int64_t used);
StatusOr<std::optional<ArtifactRow>> read_artifact(Tables tables, const std::string& hash);
Status delete_artifact_row(Connection& connection, const std::string& hash);
Status mark_used(Connection& connection, const std::string& hash, int64_t used);
StatusOr<int64_t> last_used(Connection& connection);
// Hashes and sizes, those of winners first, then by falling last use.
struct Kept {
  std::string hash;
  int64_t size = 0;
  bool of_winner = false;
};
StatusOr<std::vector<Kept>> artifacts_by_use(Connection& connection);

}  // namespace kiln::db
