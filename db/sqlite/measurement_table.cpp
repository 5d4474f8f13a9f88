#include <fmt/format.h>

#include "db/measurement_json.h"
#include "db/sqlite/decoded_rows.h"
#include "db/sqlite/references.h"
#include "db/sqlite/tables.h"

namespace kiln::db {
namespace {

#define KILN_MEASUREMENTS                                                             \
  "SELECT m.id, m.job_id, m.artifact_hash, m.body, m.checksum, " KILN_PROBLEM_COLUMNS \
  " FROM measurement m JOIN problem p ON p.id = m.problem_id "                        \
  "JOIN device d ON d.id = m.device_id "

int64_t checksum(const MeasurementRow& row, int64_t id, const std::string& body) {
  Checksum sum;
  sum.add(id).add(row.job_id).add(row.measurement.artifact_hash).add(body);
  add(sum, row.problem, row.fingerprint);
  return sum.value();
}

std::optional<MeasurementRow> decode(const Statement& row) {
  MeasurementRow result;
  result.id = row.integer(0);
  result.job_id = row.integer(1);
  const std::string hash = row.text(2);
  const std::string body = row.text(3);
  Reference reference = read_reference(row, 5);
  result.problem = std::move(reference.problem);
  result.fingerprint = std::move(reference.fingerprint);
  auto measurement = measurement_from_json(body);
  if (!measurement.ok() || measurement->artifact_hash != hash) return std::nullopt;
  result.measurement = *std::move(measurement);
  if (checksum(result, result.id, body) != row.integer(4)) return std::nullopt;
  return result;
}

}  // namespace

StatusOr<int64_t> insert_measurement(Connection& connection, const MeasurementRow& row) {
  KILN_ASSIGN_OR_RETURN(const int64_t problem, problem_id(connection, row.problem));
  KILN_ASSIGN_OR_RETURN(const int64_t device, device_id(connection, row.fingerprint));
  const std::string body = to_json(row.measurement);
  Statement insert = connection.prepare(
      "INSERT INTO measurement (id, job_id, problem_id, device_id, artifact_hash, body, checksum) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)");
  row.id != 0 ? insert.bind(row.id) : insert.bind_null();
  insert.bind(row.job_id).bind(problem).bind(device);
  insert.bind(row.measurement.artifact_hash).bind(body).bind(checksum(row, row.id, body));
  KILN_RETURN_IF_ERROR(insert.run());
  if (row.id != 0) return row.id;
  // The checksum covers the id, which is known only now.
  const int64_t id = connection.last_row_id();
  Statement seal = connection.prepare("UPDATE measurement SET checksum = ? WHERE id = ?");
  KILN_RETURN_IF_ERROR(seal.bind(checksum(row, id, body)).bind(id).run());
  return id;
}

StatusOr<std::vector<MeasurementRow>> read_measurements(Tables tables, const ProblemRef& problem,
                                                        const std::string& fingerprint,
                                                        const Page& page) {
  const bool exact = !problem.exact_key.empty();
  Statement row = tables.connection.prepare(
      exact ? KILN_MEASUREMENTS
          "WHERE p.exact_key = ? AND d.fingerprint = ? AND m.id > ? ORDER BY m.id"
            : KILN_MEASUREMENTS
          "WHERE p.problem_key = ? AND d.fingerprint = ? AND m.id > ? ORDER BY m.id");
  row.bind(Blob{exact ? problem.exact_key : problem.problem_key})
      .bind(fingerprint)
      .bind(page.after);
  return collect(tables, decode, row, page.limit);
}

StatusOr<std::vector<MeasurementRow>> read_all_measurements(Tables tables, const Page& page,
                                                            bool descending) {
  Statement row =
      tables.connection.prepare(descending ? KILN_MEASUREMENTS "WHERE m.id < ? ORDER BY m.id DESC"
                                           : KILN_MEASUREMENTS "WHERE m.id > ? ORDER BY m.id");
  row.bind(page.after);
  return collect(tables, decode, row, page.limit);
}

StatusOr<int64_t> trim_measurements(Connection& connection, int64_t keep) {
  Statement count = connection.prepare("SELECT COUNT(*) FROM measurement");
  const int64_t present = count.next() ? count.integer(0) : 0;
  KILN_RETURN_IF_ERROR(count.run());
  if (present <= keep) return 0;
  Statement trim = connection.prepare(
      "DELETE FROM measurement WHERE id IN (SELECT m.id FROM measurement m WHERE NOT EXISTS "
      "(SELECT 1 FROM winner w WHERE w.replaced_by = 0 AND w.problem_id = m.problem_id AND "
      "w.device_id = m.device_id AND w.artifact_hash = m.artifact_hash) ORDER BY m.id LIMIT ?)");
  KILN_RETURN_IF_ERROR(trim.bind(present - keep).run());
  return connection.changed_rows();
}

}  // namespace kiln::db
