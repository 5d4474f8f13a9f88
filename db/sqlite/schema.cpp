#include "db/sqlite/schema.h"

#include <fmt/format.h>

#include <array>
#include <fstream>

namespace kiln::db {
namespace {

// Rows that carry a checksum cover the values that they refer to as well: a measurement whose
// problem row was damaged reads as damaged.
constexpr std::array kMigrations = {Migration{"first layout", R"sql(
CREATE TABLE device (
  id INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE problem (
  id INTEGER PRIMARY KEY,
  family TEXT NOT NULL,
  problem_key BLOB NOT NULL,
  exact_key BLOB NOT NULL UNIQUE,
  statics_key BLOB NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX problem_by_key ON problem (problem_key);

CREATE TABLE measurement (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id INTEGER NOT NULL,           -- 0: none
  problem_id INTEGER NOT NULL REFERENCES problem,
  device_id INTEGER NOT NULL REFERENCES device,
  artifact_hash TEXT NOT NULL,
  body TEXT NOT NULL,                -- measurement_json.h
  checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX measurement_by_problem ON measurement (problem_id, device_id);

-- A winner that was replaced stays readable by id (pinned callers) until its artifact is collected.
CREATE TABLE winner (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  replaced_by INTEGER NOT NULL DEFAULT 0,
  problem_id INTEGER NOT NULL REFERENCES problem,
  device_id INTEGER NOT NULL REFERENCES device,
  family TEXT NOT NULL,
  problem_key BLOB NOT NULL,
  statics_key BLOB NOT NULL,
  artifact_hash TEXT NOT NULL,
  body TEXT NOT NULL,
  baseline TEXT,
  plan TEXT NOT NULL,
  space_version INTEGER NOT NULL,
  schema_version INTEGER NOT NULL,
  evaluations INTEGER NOT NULL,
  created_unix_ns INTEGER NOT NULL,
  checksum INTEGER NOT NULL          -- of everything but replaced_by
) STRICT;
CREATE UNIQUE INDEX winner_by_key ON winner (problem_key, device_id) WHERE replaced_by = 0;
CREATE INDEX winner_by_statics ON winner (statics_key) WHERE replaced_by = 0;

CREATE TABLE job (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  request_id TEXT UNIQUE,            -- null: none
  problem_id INTEGER NOT NULL REFERENCES problem,
  device_id INTEGER NOT NULL REFERENCES device,
  device TEXT NOT NULL,
  options TEXT NOT NULL,
  background INTEGER NOT NULL,
  state TEXT NOT NULL,
  error TEXT NOT NULL,
  winner_id INTEGER NOT NULL,        -- 0: none
  evaluations INTEGER NOT NULL,
  created_unix_ns INTEGER NOT NULL,
  started_unix_ns INTEGER NOT NULL,
  finished_unix_ns INTEGER NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX job_by_state ON job (state);

CREATE TABLE artifact (
  hash TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  target_kind TEXT NOT NULL,
  architecture TEXT NOT NULL,
  code_identity TEXT NOT NULL,
  toolchain TEXT NOT NULL,
  used INTEGER NOT NULL,             -- order of last use, no time
  checksum INTEGER NOT NULL          -- of everything but used
) STRICT;
)sql"}};

Status foreign(const std::string& path, std::string_view what) {
  return absl::FailedPreconditionError(
      fmt::format("{} {}; it was left as it is. Choose another state directory.", path, what));
}

Status check_versions(const std::string& path, int64_t application, int64_t version,
                      int64_t newest) {
  if (application != kApplicationId) return foreign(path, "is another program's database");
  if (version < 0 || version > newest) {
    return foreign(path, fmt::format("has layout version {}, this Kiln knows versions up to {}",
                                     version, newest));
  }
  return absl::OkStatus();
}

StatusOr<int64_t> pragma(Connection& connection, std::string_view sql) {
  Statement row = connection.prepare(sql);
  const bool found = row.next();
  KILN_RETURN_IF_ERROR(row.status());
  return found ? row.integer(0) : 0;
}

}  // namespace

std::span<const Migration> migrations() {
  return kMigrations;
}

Status check_identity(Connection& connection, int64_t newest_version) {
  KILN_ASSIGN_OR_RETURN(int64_t application, pragma(connection, "PRAGMA application_id"));
  KILN_ASSIGN_OR_RETURN(int64_t version, pragma(connection, "PRAGMA user_version"));
  KILN_ASSIGN_OR_RETURN(int64_t objects, pragma(connection, "SELECT COUNT(*) FROM sqlite_schema"));
  if (application == 0 && version == 0 && objects == 0) return absl::OkStatus();  // empty: ours
  return check_versions(connection.path(), application, version, newest_version);
}

Status migrate(Connection& connection, std::span<const Migration> steps) {
  KILN_ASSIGN_OR_RETURN(int64_t version, pragma(connection, "PRAGMA user_version"));
  for (; version < int64_t(steps.size()); ++version) {
    Transaction transaction(connection);
    KILN_RETURN_IF_ERROR(transaction.begun());
    const std::string context = fmt::format("migration to layout version {} ({})", version + 1,
                                            steps[size_t(version)].purpose);
    Status done = connection.execute(steps[size_t(version)].sql);
    if (done.ok()) {
      // PRAGMA takes no parameters; both values are integers of our own.
      done = connection.execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                            kApplicationId, version + 1)
                                    .c_str());
    }
    if (done.ok()) done = transaction.commit();
    if (!done.ok()) return annotate(done, context);
  }
  return absl::OkStatus();
}

Status check_header(const std::string& path, int64_t newest_version) {
  // https://sqlite.org/fileformat2.html, section 1.3
  constexpr size_t kHeaderBytes = 100;
  constexpr size_t kWriteVersionOffset = 18;
  constexpr size_t kReadVersionOffset = 19;
  constexpr size_t kSchemaFormatOffset = 44;
  constexpr size_t kUserVersionOffset = 60;
  constexpr size_t kApplicationIdOffset = 68;
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, kHeaderBytes> header{};
  file.read(reinterpret_cast<char*>(header.data()), header.size());
  if (file.gcount() == 0) return absl::OkStatus();
  if (size_t(file.gcount()) < kHeaderBytes ||
      std::string_view(reinterpret_cast<char*>(header.data()), 16) !=
          std::string_view("SQLite format 3\0", 16)) {
    return absl::DataLossError(fmt::format("{} is no database", path));
  }
  const auto big_endian = [&](size_t offset) {
    return int64_t(int32_t(uint32_t(header[offset]) << 24 | uint32_t(header[offset + 1]) << 16 |
                           uint32_t(header[offset + 2]) << 8 | uint32_t(header[offset + 3])));
  };
  const int64_t application = big_endian(kApplicationIdOffset);
  const int64_t version = big_endian(kUserVersionOffset);
  // Both zero: an empty database of ours, one whose first transaction is still in the log, or a
  // foreign one; only SQLite can tell.
  if (application == 0 && version == 0) return absl::OkStatus();
  KILN_RETURN_IF_ERROR(check_versions(path, application, version, newest_version));
  // SQLite takes these for a newer format and opens for reading only, or refuses without a code of
  // its own; ours were written by a library that knows them.
  const bool format_known = header[kWriteVersionOffset] <= 2 && header[kReadVersionOffset] <= 2 &&
                            big_endian(kSchemaFormatOffset) <= 4;
  if (format_known) return absl::OkStatus();
  return absl::DataLossError(fmt::format("{} has a damaged header", path));
}

}  // namespace kiln::db
