// Rows that other rows refer to: problems and devices.

#pragma once

#include <cstdint>
#include <string>

#include "core/status.h"
#include "db/sqlite/checksum.h"
#include "db/sqlite/connection.h"
#include "db/store.h"

namespace kiln::db {

// Columns of a joined problem, in the order of read_problem().
#define KILN_PROBLEM_COLUMNS \
  "p.family, p.problem_key, p.exact_key, p.statics_key, p.text, d.fingerprint"
inline constexpr int kProblemColumns = 6;

struct Reference {
  ProblemRef problem;
  std::string fingerprint;
};

// Reads KILN_PROBLEM_COLUMNS from column `first` on.
Reference read_reference(const Statement& row, int first);
void add(Checksum& checksum, const ProblemRef& problem, const std::string& fingerprint);

// Id of the row, made when missing. A row whose other values were damaged is put right, so that
// what is written next reads back.
StatusOr<int64_t> problem_id(Connection& connection, const ProblemRef& problem);
StatusOr<int64_t> device_id(Connection& connection, const std::string& fingerprint);

}  // namespace kiln::db
