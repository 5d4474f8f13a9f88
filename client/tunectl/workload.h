// Reads a workload file: a CSV table of problems, one a row.
//
// The dialect: comma-separated; a cell may stand in double quotes, a quote inside is doubled; line
// ends LF or CRLF; a byte order mark, empty lines and lines that start with '#' are skipped; the
// first line left is the header. A quoted cell ends on its own line. What breaks these rules is
// refused with INVALID_ARGUMENT that names line and column, and nothing of the file is used.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace kiln::tunectl {

struct WorkloadLimits {
  size_t file_bytes = 64u << 20;
  size_t line_bytes = 64u << 10;
  size_t columns = 256;
  size_t rows = 100'000;
};

struct WorkloadRow {
  int line = 0;                    // in the file, from 1
  std::vector<std::string> cells;  // as many as columns; outer spaces of unquoted cells removed
};

struct Workload {
  std::vector<std::string> columns;  // distinct, none empty
  int header_line = 1;
  std::vector<WorkloadRow> rows;

  std::optional<size_t> find(std::string_view column) const;
};

StatusOr<Workload> parse_workload(std::string_view content, const WorkloadLimits& limits = {});

// Messages start with the path. NOT_FOUND, PERMISSION_DENIED, … as the file system says.
StatusOr<Workload> read_workload(const std::string& path, const WorkloadLimits& limits = {});

}  // namespace kiln::tunectl
