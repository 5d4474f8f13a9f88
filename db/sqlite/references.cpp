#include "db/sqlite/references.h"

namespace kiln::db {

Reference read_reference(const Statement& row, int first) {
  return {{row.text(first), row.text(first + 1), row.text(first + 2), row.text(first + 3),
           row.text(first + 4)},
          row.text(first + 5)};
}

void add(Checksum& checksum, const ProblemRef& problem, const std::string& fingerprint) {
  checksum.add(problem.family)
      .add(problem.problem_key)
      .add(problem.exact_key)
      .add(problem.statics_key)
      .add(problem.text)
      .add(fingerprint);
}

StatusOr<int64_t> problem_id(Connection& connection, const ProblemRef& problem) {
  {
    Statement known = connection.prepare(
        "SELECT id FROM problem WHERE exact_key = ?1 AND family = ?2 AND problem_key = ?3 "
        "AND statics_key = ?4 AND text = ?5");
    known.bind(Blob{problem.exact_key}).bind(problem.family).bind(Blob{problem.problem_key});
    known.bind(Blob{problem.statics_key}).bind(problem.text);
    if (known.next()) return known.integer(0);
    KILN_RETURN_IF_ERROR(known.status());
  }
  Statement row = connection.prepare(
      "INSERT INTO problem (family, problem_key, exact_key, statics_key, text) "
      "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (exact_key) DO UPDATE SET "
      "family = ?1, problem_key = ?2, statics_key = ?4, text = ?5 RETURNING id");
  row.bind(problem.family)
      .bind(Blob{problem.problem_key})
      .bind(Blob{problem.exact_key})
      .bind(Blob{problem.statics_key})
      .bind(problem.text);
  const int64_t id = row.next() ? row.integer(0) : 0;
  KILN_RETURN_IF_ERROR(row.run());
  return id;
}

StatusOr<int64_t> device_id(Connection& connection, const std::string& fingerprint) {
  {
    Statement known = connection.prepare("SELECT id FROM device WHERE fingerprint = ?");
    known.bind(fingerprint);
    if (known.next()) return known.integer(0);
    KILN_RETURN_IF_ERROR(known.status());
  }
  Statement row = connection.prepare("INSERT INTO device (fingerprint) VALUES (?) RETURNING id");
  row.bind(fingerprint);
  const int64_t id = row.next() ? row.integer(0) : 0;
  KILN_RETURN_IF_ERROR(row.run());
  return id;
}

}  // namespace kiln::db
