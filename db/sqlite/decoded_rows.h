// Rows of a statement, decoded; those that are damaged are counted and left out.

#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/status.h"
#include "db/sqlite/tables.h"

namespace kiln::db {

// The first `limit` rows that `decode(row)` accepts: it returns nullopt for a damaged one.
template <class Row>
StatusOr<std::vector<Row>> collect(Tables tables, std::optional<Row> (*decode)(const Statement&),
                                   Statement& row, int64_t limit) {
  std::vector<Row> rows;
  while (int64_t(rows.size()) < limit && row.next()) {
    if (auto decoded = decode(row)) {
      rows.push_back(*std::move(decoded));
    } else {
      ++tables.damaged;
    }
  }
  KILN_RETURN_IF_ERROR(row.status());
  return rows;
}

template <class Row>
StatusOr<std::optional<Row>> first(StatusOr<std::vector<Row>> rows) {
  KILN_RETURN_IF_ERROR(rows.status());
  if (rows->empty()) return std::nullopt;
  return std::move(rows->front());
}

}  // namespace kiln::db
