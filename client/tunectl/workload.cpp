#include "client/tunectl/workload.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "client/tunectl/input_file.h"
#include "client/tunectl/text.h"

namespace kiln::tunectl {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return text;
}

Status at_line(int line, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("line {}: {}", line, what));
}

std::string ordinal_column(size_t index, const std::vector<std::string>& columns) {
  std::string text = fmt::format("column {}", index + 1);
  if (index < columns.size()) text += fmt::format(" ({})", safe_text(columns[index]));
  return text;
}

// Cuts one line into cells. `columns` names them in messages.
class LineParser {
 public:
  LineParser(std::string_view line, int number, const std::vector<std::string>& columns)
      : line_(line), number_(number), columns_(columns) {}

  StatusOr<std::vector<std::string>> cells() {
    while (true) {
      KILN_RETURN_IF_ERROR(opens_quote() ? quoted_cell() : plain_cell());
      if (position_ == line_.size()) return std::move(cells_);
      ++position_;  // the comma
    }
  }

 private:
  // Moves behind the opening quote if the cell has one.
  bool opens_quote() {
    size_t start = position_;
    while (start < line_.size() && (line_[start] == ' ' || line_[start] == '\t'))
      ++start;
    if (start == line_.size() || line_[start] != '"') return false;
    position_ = start + 1;
    return true;
  }

  Status plain_cell() {
    const size_t end = std::min(line_.find(',', position_), line_.size());
    const std::string_view cell = line_.substr(position_, end - position_);
    if (cell.find('"') != std::string_view::npos) {
      return error("a quote in the middle of a cell; quote the whole cell and double it");
    }
    position_ = end;
    return add(std::string(trimmed(cell)));
  }

  Status quoted_cell() {
    std::string cell;
    while (true) {
      const size_t quote = line_.find('"', position_);
      if (quote == std::string_view::npos) return error("a quote that is not closed on its line");
      cell.append(line_.substr(position_, quote - position_));
      position_ = quote + 1;
      if (position_ == line_.size() || line_[position_] != '"') break;
      cell += '"';
      ++position_;
    }
    while (position_ < line_.size() && (line_[position_] == ' ' || line_[position_] == '\t')) {
      ++position_;
    }
    if (position_ < line_.size() && line_[position_] != ',') {
      return error("text behind a closing quote; expected a comma");
    }
    return add(std::move(cell));
  }

  Status add(std::string cell) {
    if (!valid_utf8(cell)) return error("text that is not UTF-8");
    for (const char c : cell) {
      if (absl::ascii_iscntrl(c) && c != '\t') {
        return error(fmt::format("the control character {}", safe_text(std::string_view(&c, 1))));
      }
    }
    cells_.push_back(std::move(cell));
    return absl::OkStatus();
  }

  Status error(std::string_view what) const {
    return at_line(number_,
                   fmt::format("{} has {}", ordinal_column(cells_.size(), columns_), what));
  }

  std::string_view line_;
  int number_;
  const std::vector<std::string>& columns_;
  size_t position_ = 0;
  std::vector<std::string> cells_;
};

Status check_header(const Workload& workload, const WorkloadLimits& limits) {
  const auto& columns = workload.columns;
  if (columns.size() > limits.columns) {
    return at_line(workload.header_line, fmt::format("the header has {} columns; at most {}",
                                                     columns.size(), limits.columns));
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].empty()) {
      return at_line(workload.header_line, fmt::format("column {} has no name", i + 1));
    }
    if (std::count(columns.begin(), columns.begin() + i, columns[i]) > 0) {
      return at_line(workload.header_line,
                     fmt::format("column {} appears twice", safe_text(columns[i])));
    }
  }
  return absl::OkStatus();
}

Status check_row(const Workload& workload, const WorkloadRow& row) {
  const size_t expected = workload.columns.size();
  const size_t found = row.cells.size();
  if (found > expected) {
    return at_line(row.line, fmt::format("has {} cells, the header (line {}) has {} columns", found,
                                         workload.header_line, expected));
  }
  if (found < expected) {
    std::vector<std::string> missing;
    for (size_t i = found; i < expected; ++i)
      missing.push_back(safe_text(workload.columns[i]));
    return at_line(row.line, fmt::format("has {} of {} cells; missing: {}", found, expected,
                                         cut(fmt::format("{}", fmt::join(missing, ", ")), 120)));
  }
  return absl::OkStatus();
}

}  // namespace

std::optional<size_t> Workload::find(std::string_view column) const {
  const auto found = std::find(columns.begin(), columns.end(), column);
  if (found == columns.end()) return std::nullopt;
  return found - columns.begin();
}

StatusOr<Workload> parse_workload(std::string_view content, const WorkloadLimits& limits) {
  if (content.size() > limits.file_bytes) {
    return absl::InvalidArgumentError(
        fmt::format("the file is larger than {} MiB", limits.file_bytes >> 20));
  }
  if (content.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    content.remove_prefix(kByteOrderMark.size());
  }
  Workload workload;
  for (int number = 1; !content.empty(); ++number) {
    const size_t end = std::min(content.find('\n'), content.size());
    std::string_view line = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.size() > limits.line_bytes) {
      return at_line(number, fmt::format("is longer than {} bytes", limits.line_bytes));
    }
    if (trimmed(line).empty() || line.front() == '#') continue;

    LineParser parser(line, number, workload.columns);
    KILN_ASSIGN_OR_RETURN(std::vector<std::string> cells, parser.cells());
    if (workload.columns.empty()) {
      workload.columns = std::move(cells);
      workload.header_line = number;
      KILN_RETURN_IF_ERROR(check_header(workload, limits));
      continue;
    }
    if (workload.rows.size() == limits.rows) {
      return at_line(number, fmt::format("more than {} rows", limits.rows));
    }
    workload.rows.push_back({number, std::move(cells)});
    KILN_RETURN_IF_ERROR(check_row(workload, workload.rows.back()));
  }
  if (workload.columns.empty()) {
    return absl::InvalidArgumentError("the file is empty; expected a header of column names");
  }
  return workload;
}

StatusOr<Workload> read_workload(const std::string& path, const WorkloadLimits& limits) {
  KILN_ASSIGN_OR_RETURN(const std::string content, read_file(path, limits.file_bytes));
  StatusOr<Workload> workload = parse_workload(content, limits);
  if (!workload.ok()) return annotate(workload.status(), safe_text(path));
  return workload;
}

}  // namespace kiln::tunectl
