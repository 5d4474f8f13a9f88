#include <fmt/format.h>

#include <algorithm>

#include "db/sqlite/decoded_rows.h"
#include "db/sqlite/references.h"
#include "db/sqlite/tables.h"

namespace kiln::db {
namespace {

#define KILN_JOBS                                                                          \
  "SELECT j.id, j.request_id, j.device, j.options, j.background, j.state, j.error, "       \
  "j.winner_id, j.evaluations, j.created_unix_ns, j.started_unix_ns, j.finished_unix_ns, " \
  "j.checksum, " KILN_PROBLEM_COLUMNS                                                      \
  " FROM job j JOIN problem p ON p.id = j.problem_id JOIN device d ON d.id = j.device_id "

int64_t checksum(const JobRow& row, int64_t id) {
  Checksum sum;
  sum.add(id).add(row.request_id).add(row.device).add(row.options_json);
  sum.add(int64_t(row.background)).add(name_of(row.state)).add(row.error).add(row.winner_id);
  sum.add(row.evaluations).add(row.created_unix_ns).add(row.started_unix_ns);
  sum.add(row.finished_unix_ns);
  add(sum, row.problem, row.fingerprint);
  return sum.value();
}

std::optional<JobRow> decode(const Statement& row) {
  JobRow result;
  result.id = row.integer(0);
  result.request_id = row.text(1);
  result.device = row.text(2);
  result.options_json = row.text(3);
  result.background = row.integer(4) != 0;
  const auto state = parse_job_state(row.text(5));
  if (!state) return std::nullopt;
  result.state = *state;
  result.error = row.text(6);
  result.winner_id = row.integer(7);
  result.evaluations = row.integer(8);
  result.created_unix_ns = row.integer(9);
  result.started_unix_ns = row.integer(10);
  result.finished_unix_ns = row.integer(11);
  Reference reference = read_reference(row, 13);
  result.problem = std::move(reference.problem);
  result.fingerprint = std::move(reference.fingerprint);
  if (checksum(result, result.id) != row.integer(12)) return std::nullopt;
  return result;
}

}  // namespace

StatusOr<int64_t> insert_job(Connection& connection, const JobRow& row) {
  KILN_ASSIGN_OR_RETURN(const int64_t problem, problem_id(connection, row.problem));
  KILN_ASSIGN_OR_RETURN(const int64_t device, device_id(connection, row.fingerprint));
  Statement insert = connection.prepare(
      "INSERT INTO job (id, request_id, problem_id, device_id, device, options, background, state, "
      "error, winner_id, evaluations, created_unix_ns, started_unix_ns, finished_unix_ns, "
      "checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  row.id != 0 ? insert.bind(row.id) : insert.bind_null();
  row.request_id.empty() ? insert.bind_null() : insert.bind(row.request_id);
  insert.bind(problem).bind(device).bind(row.device).bind(row.options_json);
  insert.bind(int64_t(row.background)).bind(name_of(row.state)).bind(row.error);
  insert.bind(row.winner_id).bind(row.evaluations).bind(row.created_unix_ns);
  insert.bind(row.started_unix_ns).bind(row.finished_unix_ns).bind(checksum(row, row.id));
  KILN_RETURN_IF_ERROR(insert.run());
  if (row.id != 0) return row.id;
  const int64_t id = connection.last_row_id();
  Statement seal = connection.prepare("UPDATE job SET checksum = ? WHERE id = ?");
  KILN_RETURN_IF_ERROR(seal.bind(checksum(row, id)).bind(id).run());
  return id;
}

Status update_job_row(Connection& connection, const JobRow& row) {
  Statement update = connection.prepare(
      "UPDATE job SET options = ?, background = ?, state = ?, error = ?, winner_id = ?, "
      "evaluations = ?, "
      "started_unix_ns = ?, finished_unix_ns = ?, checksum = ? WHERE id = ?");
  update.bind(row.options_json).bind(int64_t(row.background));
  update.bind(name_of(row.state)).bind(row.error);
  update.bind(row.winner_id).bind(row.evaluations).bind(row.started_unix_ns);
  update.bind(row.finished_unix_ns).bind(checksum(row, row.id)).bind(row.id);
  KILN_RETURN_IF_ERROR(update.run());
  if (connection.changed_rows() > 0) return absl::OkStatus();
  return absl::NotFoundError(fmt::format("job {} does not exist", row.id));
}

Status delete_job_row(Connection& connection, const std::string& request_id) {
  return connection.prepare("DELETE FROM job WHERE request_id = ?").bind(request_id).run();
}

StatusOr<std::optional<JobRow>> read_job(Tables tables, int64_t id) {
  Statement row = tables.connection.prepare(KILN_JOBS "WHERE j.id = ?");
  row.bind(id);
  return first(collect(tables, decode, row, 1));
}

StatusOr<std::optional<JobRow>> read_job(Tables tables, const std::string& request_id) {
  Statement row = tables.connection.prepare(KILN_JOBS "WHERE j.request_id = ?");
  row.bind(request_id);
  return first(collect(tables, decode, row, 1));
}

StatusOr<std::vector<JobRow>> read_jobs(Tables tables, const std::vector<JobState>& states,
                                        const Page& page) {
  if (states.empty()) return read_all_jobs(tables, page, false);
  Statement row = tables.connection.prepare(
      KILN_JOBS "WHERE j.state IN (?, ?, ?, ?, ?) AND j.id > ? ORDER BY j.id");
  for (JobState state : kJobStates) {
    const bool wanted = std::find(states.begin(), states.end(), state) != states.end();
    row.bind(wanted ? name_of(state) : std::string_view());
  }
  row.bind(page.after);
  return collect(tables, decode, row, page.limit);
}

StatusOr<std::vector<JobRow>> read_all_jobs(Tables tables, const Page& page, bool descending) {
  Statement row =
      tables.connection.prepare(descending ? KILN_JOBS "WHERE j.id < ? ORDER BY j.id DESC"
                                           : KILN_JOBS "WHERE j.id > ? ORDER BY j.id");
  row.bind(page.after);
  return collect(tables, decode, row, page.limit);
}

}  // namespace kiln::db
