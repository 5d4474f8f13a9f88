#include "client/tunectl/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/numbers.h"

namespace kiln::tunectl {
namespace {

constexpr int kUsualColumns = 80;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Terminal::Abilities abilities_of(std::FILE* stream) {
  if (isatty(fileno(stream)) == 0) return {};
  const std::string term = environment("TERM");
  const bool smart = !term.empty() && term != "dumb";
  return {.redraws = smart,
          .colors = smart && environment("NO_COLOR").empty(),
          .columns = kUsualColumns};
}

std::string_view escape_of(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kBold:
      return "\x1b[1m";
    case Style::kDim:
      return "\x1b[2m";
    case Style::kGood:
      return "\x1b[32m";
    case Style::kBad:
      return "\x1b[31m";
    case Style::kWarning:
      return "\x1b[33m";
  }
  return "";
}

}  // namespace

Terminal::Terminal(std::FILE* stream) : Terminal(stream, abilities_of(stream)) {
  asks_for_columns_ = abilities_.columns > 0;
}

Terminal::Terminal(std::FILE* stream, Abilities abilities)
    : stream_(stream), abilities_(abilities), colors_(abilities.colors) {}

void Terminal::set_color(ColorMode mode) {
  colors_ = mode == ColorMode::kAuto ? abilities_.colors : mode == ColorMode::kAlways;
}

int Terminal::columns() const {
  if (!asks_for_columns_) return abilities_.columns;
  int columns = 0;
  if (absl::SimpleAtoi(environment("COLUMNS"), &columns) && columns > 0) return columns;
  winsize size{};
  if (ioctl(fileno(stream_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return abilities_.columns;
}

std::string Terminal::paint(Style style, std::string_view text) const {
  if (!colors_ || style == Style::kPlain || text.empty()) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_of(style), text);
}

void Terminal::write(std::string_view text) {
  clear_line();
  std::fwrite(text.data(), 1, text.size(), stream_);
}

void Terminal::redraw(std::string_view line) {
  std::fputc('\r', stream_);
  std::fwrite(line.data(), 1, line.size(), stream_);
  std::fputs("\x1b[K", stream_);
  std::fflush(stream_);
  line_open_ = true;
}

void Terminal::clear_line() {
  if (!line_open_) return;
  std::fputs("\r\x1b[K", stream_);
  std::fflush(stream_);
  line_open_ = false;
}

bool Terminal::flush() {
  return std::fflush(stream_) == 0 && std::ferror(stream_) == 0;
}

}  // namespace kiln::tunectl
