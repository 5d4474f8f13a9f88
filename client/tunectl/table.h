// A table for people: aligned columns that fit the terminal.
//
//     Table table({{"id", Align::kRight}, {"problem", Align::kLeft, Fit::kWrap}});
//     table.add({{"12"}, {"attention_forward batch=1 …"}});
//     std::string text = table.render(terminal);
//
// Cells are made safe when they are added. Columns that wrap or are cut give way when the terminal
// is narrow; when that is not enough each row becomes a block of "title  value" lines.

#pragma once

#include <string>
#include <vector>

#include "client/tunectl/terminal.h"

namespace kiln::tunectl {

enum class Align { kLeft, kRight };
enum class Fit { kKeep, kWrap, kCut };

struct Column {
  std::string title;
  Align align = Align::kLeft;
  Fit fit = Fit::kKeep;
};

struct Cell {
  std::string text;
  Style style = Style::kPlain;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as columns.
  void add(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }

  // Every line ends with a line end; nothing when there are no rows.
  std::string render(const Terminal& terminal) const;

 private:
  std::vector<int> natural_widths() const;
  std::string render_columns(const Terminal& terminal, const std::vector<int>& widths) const;
  std::string render_blocks(const Terminal& terminal) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// "title  value" lines, the values aligned and wrapped.
std::string render_details(const Terminal& terminal,
                           const std::vector<std::pair<std::string, Cell>>& details);

}  // namespace kiln::tunectl
