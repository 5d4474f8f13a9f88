// One output of the program: a terminal that can redraw a line, a dumb one, or a pipe.
//
// What the output can do is decided here and nowhere else. Text from outside must have passed
// safe_text(). Not thread-safe.

#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace kiln::tunectl {

enum class Style { kPlain, kBold, kDim, kGood, kBad, kWarning };
enum class ColorMode { kAuto, kAlways, kNever };

class Terminal {
 public:
  struct Abilities {
    bool redraws = false;  // understands carriage return and "clear to the end of the line"
    bool colors = false;   // by default, see set_color()
    int columns = 0;       // 0: no limit (a file or a pipe)
  };

  // Asks the operating system and the environment (TERM, NO_COLOR, COLUMNS) about `stream`.
  explicit Terminal(std::FILE* stream);
  // With given abilities.
  Terminal(std::FILE* stream, Abilities abilities);

  void set_color(ColorMode mode);

  bool redraws() const { return abilities_.redraws; }
  bool colors() const { return colors_; }
  int columns() const;  // at this moment: windows change their size

  // `text` in the escapes of `style`, or as it is without colours.
  std::string paint(Style style, std::string_view text) const;

  void write(std::string_view text);
  // Replaces the line written by the last redraw(), which stays open. Needs redraws().
  void redraw(std::string_view line);
  // Removes the open line, so that something else can be written.
  void clear_line();

  // False when something could not be written (a full disk, a closed pipe).
  bool flush();

 private:
  std::FILE* stream_;
  Abilities abilities_;
  bool asks_for_columns_ = false;
  bool colors_ = false;
  bool line_open_ = false;
};

}  // namespace kiln::tunectl
