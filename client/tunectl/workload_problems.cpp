#include "client/tunectl/workload_problems.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>

#include "absl/strings/numbers.h"
#include "client/tunectl/text.h"

namespace kiln::tunectl {
namespace {

constexpr std::string_view kFamilyColumn = "family";
constexpr std::string_view kBatchField = "batch";

using Overrides = std::vector<std::pair<std::string, std::string>>;

struct MatchedColumn {
  std::optional<size_t> field;  // that it fills; none: ignored
  bool foreign = false;         // of another family in a file of several; its cells must be empty
};
using Columns = std::vector<MatchedColumn>;

StatusOr<Columns> match_columns(const Workload& workload, const Schema& schema,
                                const Overrides& overrides) {
  const bool several_families = workload.find(kFamilyColumn).has_value();
  Columns columns;
  std::map<size_t, std::string> given;
  const auto error = [&](std::string_view what) {
    return absl::InvalidArgumentError(fmt::format("line {}: {}", workload.header_line, what));
  };
  for (const std::string& column : workload.columns) {
    const std::optional<size_t> field = schema.find(column);
    const bool known = field || schema.ignores(column) || column == kFamilyColumn;
    columns.push_back({field, several_families && !known});
    if (field) {
      const auto [other, added] = given.emplace(*field, column);
      if (!added) {
        return error(fmt::format("columns {} and {} both give {}", safe_text(other->second),
                                 safe_text(column), schema.fields()[*field].name));
      }
    } else if (!known && !several_families) {
      return error(fmt::format("column {} is neither a field of {} nor a column that it ignores",
                               safe_text(column), schema.family()));
    }
  }
  for (const auto& [name, value] : overrides) {
    const std::optional<size_t> field = schema.find(name);
    if (!field) {
      return absl::InvalidArgumentError(
          fmt::format("--set {}: {} has no such field", safe_text(name), schema.family()));
    }
    given.emplace(*field, name);
  }
  for (size_t i = 0; i < schema.fields().size(); ++i) {
    const Field& field = schema.fields()[i];
    if (field.default_value || given.count(i) > 0) continue;
    return error(fmt::format("no column gives {}, which {} needs; add it or use --set {}=VALUE",
                             field.name, schema.family(), field.name));
  }
  return columns;
}

StatusOr<const Schema*> named(const std::vector<const Schema*>& schemas, std::string_view family) {
  std::vector<std::string> known;
  for (const Schema* schema : schemas) {
    if (schema->family() == family) return schema;
    known.push_back(schema->family());
  }
  return absl::NotFoundError(
      fmt::format("no family {}; there are {}", safe_text(family), fmt::join(known, ", ")));
}

// The only family that these columns fit.
StatusOr<const Schema*> guess(const Workload& workload, const std::vector<const Schema*>& schemas,
                              const Overrides& overrides) {
  std::vector<const Schema*> fitting;
  std::vector<std::string> reasons;
  for (const Schema* schema : schemas) {
    const auto columns = match_columns(workload, *schema, overrides);
    if (columns.ok()) {
      fitting.push_back(schema);
    } else {
      reasons.push_back(
          fmt::format("{}: {}", schema->family(), std::string(columns.status().message())));
    }
  }
  if (fitting.size() == 1) return fitting.front();
  if (fitting.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("the columns fit no family; give --family. {}", fmt::join(reasons, "; ")));
  }
  return absl::InvalidArgumentError("the columns fit several families; give --family");
}

Status bound_batch(const Schema& schema, int64_t bound, WorkloadProblem& problem) {
  const std::optional<size_t> field = schema.find(kBatchField);
  if (!field) {
    return absl::InvalidArgumentError(
        fmt::format("--max-batch: {} has no field batch", schema.family()));
  }
  for (auto& [name, value] : problem.fields) {
    int64_t batch = 0;
    if (name == schema.fields()[*field].name && absl::SimpleAtoi(value, &batch)) {
      value = std::to_string(std::min(batch, bound));
    }
  }
  return absl::OkStatus();
}

Status fill_fields(const Workload& workload, const Schema& schema, const Columns& columns,
                   const WorkloadRow& row, WorkloadProblem& problem) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (row.cells[i].empty()) continue;
    if (columns[i].foreign) {
      return absl::InvalidArgumentError(
          fmt::format("line {}: column {} is not empty, but {} has no such field", row.line,
                      safe_text(workload.columns[i]), schema.family()));
    }
    if (columns[i].field) {
      problem.fields.emplace_back(schema.fields()[*columns[i].field].name, row.cells[i]);
    }
  }
  return absl::OkStatus();
}

void override_field(const std::string& name, const std::string& value, WorkloadProblem& problem) {
  const auto found = std::find_if(problem.fields.begin(), problem.fields.end(),
                                  [&](const auto& field) { return field.first == name; });
  if (found != problem.fields.end()) {
    found->second = value;
  } else {
    problem.fields.emplace_back(name, value);
  }
}

Status check_filters(const Workload& workload, const std::vector<RowFilter>& filters) {
  for (const RowFilter& filter : filters) {
    if (workload.find(filter.column)) continue;
    return invalid_field(
        "--where", filter.column,
        fmt::format("one of the file's columns: {}",
                    safe_text(fmt::format("{}", fmt::join(workload.columns, ", ")))));
  }
  return absl::OkStatus();
}

bool selected(const Workload& workload, const std::vector<RowFilter>& filters,
              const WorkloadRow& row) {
  return std::all_of(filters.begin(), filters.end(), [&](const RowFilter& filter) {
    return filter.matches(row.cells[*workload.find(filter.column)]);
  });
}

std::string label_of(const Workload& workload, const Columns& columns, const WorkloadRow& row) {
  for (const std::string_view candidate : {"name", "id"}) {
    const std::optional<size_t> column = workload.find(candidate);
    if (column && !columns[*column].field) return row.cells[*column];
  }
  return "";
}

}  // namespace

StatusOr<RowFilter> RowFilter::parse(std::string_view text) {
  const size_t at = text.find_first_of("=!<>");
  const std::string_view rest = at == std::string_view::npos ? "" : text.substr(at);
  RowFilter filter;
  size_t length = 2;
  if (rest.substr(0, 2) == "!=") {
    filter.relation = Relation::kUnequal;
  } else if (rest.substr(0, 2) == "<=") {
    filter.relation = Relation::kAtMost;
  } else if (rest.substr(0, 2) == ">=") {
    filter.relation = Relation::kAtLeast;
  } else {
    length = 1;
  }
  if (at == 0 || rest.empty() || (length == 1 && rest.front() != '=')) {
    return invalid_field("--where", text, "COLUMN=VALUE, COLUMN!=VALUE, COLUMN<=N or COLUMN>=N");
  }
  filter.column = std::string(text.substr(0, at));
  filter.value = std::string(rest.substr(length));
  double number = 0;
  const bool ordered =
      filter.relation == Relation::kAtMost || filter.relation == Relation::kAtLeast;
  if (ordered && !absl::SimpleAtod(filter.value, &number)) {
    return invalid_field("--where", text, "a number behind <= or >=");
  }
  return filter;
}

bool RowFilter::matches(const std::string& cell) const {
  double left = 0;
  double right = 0;
  if (relation == Relation::kEqual) return cell == value;
  if (relation == Relation::kUnequal) return cell != value;
  if (!absl::SimpleAtod(cell, &left) || !absl::SimpleAtod(value, &right)) return false;
  return relation == Relation::kAtMost ? left <= right : left >= right;
}

StatusOr<std::vector<WorkloadProblem>> workload_problems(const Workload& workload,
                                                         const std::vector<const Schema*>& schemas,
                                                         const WorkloadOptions& options) {
  KILN_RETURN_IF_ERROR(check_filters(workload, options.filters));
  const std::optional<size_t> family_column = workload.find(kFamilyColumn);
  const Schema* common = nullptr;
  if (!options.family.empty()) {
    KILN_ASSIGN_OR_RETURN(common, named(schemas, options.family));
  } else if (!family_column) {
    KILN_ASSIGN_OR_RETURN(common, guess(workload, schemas, options.overrides));
  }

  std::map<const Schema*, Columns> matched;
  std::vector<WorkloadProblem> problems;
  for (const WorkloadRow& row : workload.rows) {
    if (!selected(workload, options.filters, row)) continue;
    const Schema* schema = common;
    if (schema == nullptr) {
      const auto found = named(schemas, row.cells[*family_column]);
      if (!found.ok()) {
        return absl::InvalidArgumentError(
            fmt::format("line {}: family: {}", row.line, std::string(found.status().message())));
      }
      schema = *found;
    }
    if (matched.count(schema) == 0) {
      KILN_ASSIGN_OR_RETURN(matched[schema], match_columns(workload, *schema, options.overrides));
    }
    const Columns& columns = matched[schema];
    WorkloadProblem problem{row.line, label_of(workload, columns, row), schema->family(), {}};
    KILN_RETURN_IF_ERROR(fill_fields(workload, *schema, columns, row, problem));
    for (const auto& [name, value] : options.overrides) {
      override_field(schema->fields()[*schema->find(name)].name, value, problem);
    }
    if (options.max_batch > 0) {
      KILN_RETURN_IF_ERROR(bound_batch(*schema, options.max_batch, problem));
    }
    problems.push_back(std::move(problem));
  }
  return problems;
}

}  // namespace kiln::tunectl
