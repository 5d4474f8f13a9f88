#include "client/tunectl/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "client/tunectl/text.h"

namespace kiln::tunectl {
namespace {

constexpr int kGap = 2;
constexpr int kLeastFlexibleWidth = 16;

std::string spaces(int count) {
  return std::string(std::max(count, 0), ' ');
}

// Narrows flexible columns, widest first, until the table fits; false when it cannot.
bool fit(const std::vector<Column>& columns, int limit, std::vector<int>& widths) {
  int excess = std::accumulate(widths.begin(), widths.end(), 0) +
               kGap * (static_cast<int>(widths.size()) - 1) - limit;
  while (excess > 0) {
    int widest = -1;
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].fit == Fit::kKeep || widths[i] <= kLeastFlexibleWidth) continue;
      if (widest < 0 || widths[i] > widths[widest]) widest = static_cast<int>(i);
    }
    if (widest < 0) return false;
    --widths[widest];
    --excess;
  }
  return true;
}

std::vector<std::string> lines_of(const std::string& text, Fit fit, int width) {
  if (display_width(text) <= width) return {text};
  if (fit == Fit::kCut) return {cut(text, width)};
  return wrap(text, width);
}

void trim_right(std::string& text) {
  while (!text.empty() && text.back() == ' ')
    text.pop_back();
}

}  // namespace

void Table::add(std::vector<Cell> cells) {
  cells.resize(columns_.size());
  for (Cell& cell : cells)
    cell.text = safe_text(cell.text);
  rows_.push_back(std::move(cells));
}

std::vector<int> Table::natural_widths() const {
  std::vector<int> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    int width = display_width(columns_[i].title);
    for (const auto& row : rows_)
      width = std::max(width, display_width(row[i].text));
    widths.push_back(width);
  }
  return widths;
}

std::string Table::render(const Terminal& terminal) const {
  if (rows_.empty()) return "";
  std::vector<int> widths = natural_widths();
  const int limit = terminal.columns();
  if (limit > 0 && !fit(columns_, limit, widths)) return render_blocks(terminal);
  return render_columns(terminal, widths);
}

std::string Table::render_columns(const Terminal& terminal, const std::vector<int>& widths) const {
  std::string out;
  const auto append = [&](const std::vector<Cell>& cells) {
    std::vector<std::vector<std::string>> lines;
    size_t height = 1;
    for (size_t i = 0; i < columns_.size(); ++i) {
      lines.push_back(lines_of(cells[i].text, columns_[i].fit, widths[i]));
      height = std::max(height, lines.back().size());
    }
    for (size_t y = 0; y < height; ++y) {
      std::string line;
      for (size_t i = 0; i < columns_.size(); ++i) {
        const std::string text = y < lines[i].size() ? lines[i][y] : "";
        const std::string padding = spaces(widths[i] - display_width(text));
        if (i > 0) line += spaces(kGap);
        if (columns_[i].align == Align::kRight) line += padding;
        line += terminal.paint(cells[i].style, text);
        if (columns_[i].align == Align::kLeft) line += padding;
      }
      trim_right(line);
      out += fmt::format("{}\n", line);
    }
  };
  std::vector<Cell> titles;
  for (const Column& column : columns_)
    titles.push_back({column.title, Style::kBold});
  append(titles);
  for (const auto& row : rows_)
    append(row);
  return out;
}

std::string Table::render_blocks(const Terminal& terminal) const {
  std::string out;
  for (const auto& row : rows_) {
    std::vector<std::pair<std::string, Cell>> details;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!row[i].text.empty()) details.emplace_back(columns_[i].title, row[i]);
    }
    out += fmt::format("{}{}", out.empty() ? "" : "\n", render_details(terminal, details));
  }
  return out;
}

std::string render_details(const Terminal& terminal,
                           const std::vector<std::pair<std::string, Cell>>& details) {
  int title_width = 0;
  for (const auto& [title, cell] : details) {
    title_width = std::max(title_width, display_width(title));
  }
  const int limit = terminal.columns();
  const int room = std::max(limit - title_width - kGap, kLeastFlexibleWidth);
  std::string out;
  for (const auto& [title, cell] : details) {
    const std::string text = safe_text(cell.text);
    const auto lines = limit > 0 ? wrap(text, room) : std::vector<std::string>{text};
    for (size_t y = 0; y < lines.size(); ++y) {
      std::string line =
          y > 0 ? spaces(title_width)
                : terminal.paint(Style::kBold, title) + spaces(title_width - display_width(title));
      line += fmt::format("{}{}", spaces(kGap), terminal.paint(cell.style, lines[y]));
      trim_right(line);
      out += fmt::format("{}\n", line);
    }
  }
  return out;
}

}  // namespace kiln::tunectl
