// Turns the rows of a workload file into problems of one family.
//
// Columns are matched to the schema's fields by name or alias; columns that the schema ignores
// label the rows at most; any other column is an error, so that a misspelt one is not lost. An
// empty cell leaves its field at the default.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "client/tunectl/workload.h"
#include "core/schema.h"
#include "core/status.h"

namespace kiln::tunectl {

// A condition on a cell: "op=fwd", "N!=128", "seq_q<=4096" (numbers for <= and >=).
struct RowFilter {
  enum class Relation { kEqual, kUnequal, kAtMost, kAtLeast };

  std::string column;
  Relation relation = Relation::kEqual;
  std::string value;

  static StatusOr<RowFilter> parse(std::string_view text);
  bool matches(const std::string& cell) const;
};

struct WorkloadOptions {
  std::string family = {};  // empty: a "family" column, else the only family that fits the columns
  std::vector<RowFilter> filters = {};                              // all must match
  std::vector<std::pair<std::string, std::string>> overrides = {};  // field, value; for every row
  int64_t max_batch = 0;  // bound on field "batch"; 0: none
};

struct WorkloadProblem {
  int line = 0;
  std::string label;  // the row's "name" or "id"; may be empty
  std::string family;
  std::vector<std::pair<std::string, std::string>> fields;  // schema's names
};

// Problems in the order of the file; values are checked later, by the service. INVALID_ARGUMENT
// names line and column.
StatusOr<std::vector<WorkloadProblem>> workload_problems(const Workload& workload,
                                                         const std::vector<const Schema*>& schemas,
                                                         const WorkloadOptions& options);

}  // namespace kiln::tunectl
