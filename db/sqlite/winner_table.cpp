#include "db/measurement_json.h"
#include "db/sqlite/decoded_rows.h"
#include "db/sqlite/references.h"
#include "db/sqlite/tables.h"

namespace kiln::db {
namespace {

#define KILN_WINNERS                                                                           \
  "SELECT w.id, w.family, w.problem_key, w.statics_key, w.artifact_hash, w.body, w.baseline, " \
  "w.plan, w.space_version, w.schema_version, w.evaluations, w.created_unix_ns, "              \
  "w.checksum, " KILN_PROBLEM_COLUMNS                                                          \
  " FROM winner w JOIN problem p ON p.id = w.problem_id JOIN device d ON d.id = w.device_id "

int64_t checksum(const WinnerRow& row, int64_t id, const std::string& body,
                 const std::optional<std::string>& baseline) {
  Checksum sum;
  sum.add(id).add(row.measurement.artifact_hash).add(body);
  sum.add(int64_t(baseline.has_value())).add(baseline.value_or("")).add(row.plan_json);
  sum.add(row.space_version).add(row.schema_version).add(row.evaluations);
  sum.add(row.created_unix_ns);
  add(sum, row.problem, row.fingerprint);
  return sum.value();
}

std::optional<WinnerRow> decode(const Statement& row) {
  WinnerRow result;
  result.id = row.integer(0);
  const std::string hash = row.text(4);
  const std::string body = row.text(5);
  std::optional<std::string> baseline;
  if (!row.is_null(6)) baseline = row.text(6);
  result.plan_json = row.text(7);
  result.space_version = row.integer(8);
  result.schema_version = row.integer(9);
  result.evaluations = row.integer(10);
  result.created_unix_ns = row.integer(11);
  Reference reference = read_reference(row, 13);
  result.problem = std::move(reference.problem);
  result.fingerprint = std::move(reference.fingerprint);
  // Columns that exist twice, for the indices, must agree with what they repeat.
  if (row.text(1) != result.problem.family || row.text(2) != result.problem.problem_key ||
      row.text(3) != result.problem.statics_key) {
    return std::nullopt;
  }
  auto measurement = measurement_from_json(body);
  if (!measurement.ok() || measurement->artifact_hash != hash) return std::nullopt;
  result.measurement = *std::move(measurement);
  if (baseline) {
    auto parsed = measurement_from_json(*baseline);
    if (!parsed.ok()) return std::nullopt;
    result.baseline = *std::move(parsed);
  }
  if (checksum(result, result.id, body, baseline) != row.integer(12)) return std::nullopt;
  return result;
}

}  // namespace

StatusOr<int64_t> insert_winner(Connection& connection, const WinnerRow& row) {
  KILN_ASSIGN_OR_RETURN(const int64_t problem, problem_id(connection, row.problem));
  KILN_ASSIGN_OR_RETURN(const int64_t device, device_id(connection, row.fingerprint));
  // -1 stands for the id of the new row, which is set below; the index allows one current winner.
  Statement replace = connection.prepare(
      "UPDATE winner SET replaced_by = -1 "
      "WHERE problem_key = ? AND device_id = ? AND replaced_by = 0");
  KILN_RETURN_IF_ERROR(replace.bind(Blob{row.problem.problem_key}).bind(device).run());

  const std::string body = to_json(row.measurement);
  std::optional<std::string> baseline;
  if (row.baseline) baseline = to_json(*row.baseline);
  Statement insert = connection.prepare(
      "INSERT INTO winner (id, problem_id, device_id, family, problem_key, statics_key, "
      "artifact_hash, body, baseline, plan, space_version, schema_version, evaluations, "
      "created_unix_ns, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  row.id != 0 ? insert.bind(row.id) : insert.bind_null();
  insert.bind(problem).bind(device).bind(row.problem.family);
  insert.bind(Blob{row.problem.problem_key}).bind(Blob{row.problem.statics_key});
  insert.bind(row.measurement.artifact_hash).bind(body);
  baseline ? insert.bind(*baseline) : insert.bind_null();
  insert.bind(row.plan_json).bind(row.space_version).bind(row.schema_version);
  insert.bind(row.evaluations).bind(row.created_unix_ns);
  insert.bind(checksum(row, row.id, body, baseline));
  KILN_RETURN_IF_ERROR(insert.run());

  const int64_t id = connection.last_row_id();
  Statement link = connection.prepare("UPDATE winner SET replaced_by = ? WHERE replaced_by = -1");
  KILN_RETURN_IF_ERROR(link.bind(id).run());
  if (row.id != 0) return row.id;
  Statement seal = connection.prepare("UPDATE winner SET checksum = ? WHERE id = ?");
  KILN_RETURN_IF_ERROR(seal.bind(checksum(row, id, body, baseline)).bind(id).run());
  return id;
}

StatusOr<std::optional<WinnerRow>> read_winner(Tables tables, int64_t id) {
  Statement row = tables.connection.prepare(KILN_WINNERS "WHERE w.id = ?");
  row.bind(id);
  return first(collect(tables, decode, row, 1));
}

StatusOr<std::optional<WinnerRow>> read_winner(Tables tables, const std::string& problem_key,
                                               const std::string& fingerprint) {
  Statement row = tables.connection.prepare(
      KILN_WINNERS "WHERE w.problem_key = ? AND d.fingerprint = ? AND w.replaced_by = 0");
  row.bind(Blob{problem_key}).bind(fingerprint);
  return first(collect(tables, decode, row, 1));
}

StatusOr<std::vector<WinnerRow>> read_winners(Tables tables, const WinnerFilter& filter,
                                              const Page& page) {
  // Written out for the two filters that have an index; an empty filter matches everything.
  constexpr std::string_view kOthers =
      "AND (?2 = '' OR w.family = ?2) AND (?3 = '' OR d.fingerprint = ?3) "
      "AND (?4 = x'' OR w.problem_key = ?4) AND w.replaced_by = 0 AND w.id > ?5 ORDER BY w.id";
  static const std::string by_statics =
      std::string(KILN_WINNERS "WHERE w.statics_key = ?1 ").append(kOthers);
  static const std::string all =
      std::string(KILN_WINNERS "WHERE (?1 = x'' OR w.statics_key = ?1) ").append(kOthers);
  Statement row = tables.connection.prepare(filter.statics_key.empty() ? all : by_statics);
  row.bind(Blob{filter.statics_key}).bind(filter.family).bind(filter.fingerprint);
  row.bind(Blob{filter.problem_key}).bind(page.after);
  return collect(tables, decode, row, page.limit);
}

StatusOr<std::vector<WinnerRow>> read_all_winners(Tables tables, const Page& page,
                                                  bool descending) {
  Statement row = tables.connection.prepare(
      descending ? KILN_WINNERS "WHERE w.id < ? AND w.replaced_by = 0 ORDER BY w.id DESC"
                 : KILN_WINNERS "WHERE w.id > ? AND w.replaced_by = 0 ORDER BY w.id");
  row.bind(page.after);
  return collect(tables, decode, row, page.limit);
}

StatusOr<bool> delete_winner_row(Connection& connection, int64_t id) {
  Statement remove = connection.prepare("DELETE FROM winner WHERE id = ?");
  KILN_RETURN_IF_ERROR(remove.bind(id).run());
  return connection.changed_rows() > 0;
}

Status trim_winners(Connection& connection) {
  return connection
      .prepare(
          "DELETE FROM winner WHERE replaced_by <> 0 AND artifact_hash NOT IN "
          "(SELECT hash FROM artifact)")
      .run();
}

}  // namespace kiln::db
