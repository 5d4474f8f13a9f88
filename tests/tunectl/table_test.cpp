#include "client/tunectl/table.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_split.h"
#include "client/tunectl/histogram.h"
#include "client/tunectl/text.h"
#include "tests/tunectl/capture.h"

namespace kiln::tunectl {
namespace {

Table winners() {
  Table table({{"id", Align::kRight}, {"problem", Align::kLeft, Fit::kWrap}, {"time"}});
  table.add({{"7"}, {"attention_forward batch=1 heads_q=32 heads_kv=8"}, {"1.23 ms"}});
  table.add({{"12", Style::kBold}, {"short"}, {"812 ns"}});
  return table;
}

}  // namespace

TEST_CASE("A table without limit keeps every cell on one line") {
  Capture pipe;
  CHECK(winners().render(pipe.terminal()) ==
        "id  problem                                          time\n"
        " 7  attention_forward batch=1 heads_q=32 heads_kv=8  1.23 ms\n"
        "12  short                                            812 ns\n");
}

TEST_CASE("A narrow terminal wraps the flexible column") {
  Capture narrow({.columns = 40});
  CHECK(winners().render(narrow.terminal()) ==
        "id  problem                      time\n"
        " 7  attention_forward batch=1    1.23 ms\n"
        "    heads_q=32 heads_kv=8\n"
        "12  short                        812 ns\n");
}

TEST_CASE("A terminal too narrow for columns gets blocks") {
  Capture tiny({.columns = 28});
  CHECK(winners().render(tiny.terminal()) ==
        "id       7\n"
        "problem  attention_forward\n"
        "         batch=1 heads_q=32\n"
        "         heads_kv=8\n"
        "time     1.23 ms\n"
        "\n"
        "id       12\n"
        "problem  short\n"
        "time     812 ns\n");
}

TEST_CASE("No line is wider than the terminal") {
  for (int columns = 26; columns < 90; ++columns) {
    Capture terminal({.columns = columns});
    const std::string text = winners().render(terminal.terminal());
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      CAPTURE(columns, std::string(line));
      CHECK(display_width(std::string(line)) <= columns);
    }
  }
}

TEST_CASE("Cells cannot steer the terminal") {
  Capture pipe;
  Table table({{"name"}});
  table.add({{"\x1b]0;title\x07\nrow"}});
  CHECK(table.render(pipe.terminal()) == "name\n\\x1b]0;title\\x07\\nrow\n");
}

TEST_CASE("Colours appear only where they are wanted") {
  Capture colored({.colors = true});
  CHECK(winners().render(colored.terminal()).find("\x1b[1m12\x1b[0m") != std::string::npos);
  colored.terminal().set_color(ColorMode::kNever);
  CHECK(winners().render(colored.terminal()).find('\x1b') == std::string::npos);
  Capture pipe;
  pipe.terminal().set_color(ColorMode::kAlways);
  CHECK(winners().render(pipe.terminal()).find('\x1b') != std::string::npos);
}

TEST_CASE("A table without rows is nothing") {
  Capture pipe;
  CHECK(Table({{"a"}, {"b"}}).render(pipe.terminal()).empty());
}

TEST_CASE("A histogram counts every time once and marks the winner") {
  Capture pipe;
  std::vector<double> times;
  for (int i = 0; i < 100; ++i)
    times.push_back(1e6 * (1 + 0.03 * i));
  const std::string text =
      time_histogram(pipe.terminal(), times, {{1e6, "winner"}, {2.5e6, "default"}, {0, "none"}});
  int total = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> words =
        absl::StrSplit(line.substr(0, line.find("  ←")), ' ', absl::SkipEmpty());
    if (words.size() == 4) total += std::stoi(words[3]);  // number, unit, bar, count
  }
  CAPTURE(text);
  CHECK(total == 100);
  CHECK(text.find("← winner") < text.find("← default"));
  CHECK(text.find("none") == std::string::npos);
}

TEST_CASE("A histogram of one time, of equal times and of none") {
  Capture pipe;
  CHECK(time_histogram(pipe.terminal(), {}, {{1, "winner"}}).empty());
  CHECK(time_histogram(pipe.terminal(), {0, -1}, {}).empty());
  for (const std::vector<double>& times : {std::vector<double>{5e6}, {5e6, 5e6, 5e6}}) {
    const std::string text = time_histogram(pipe.terminal(), times, {{5e6, "winner"}});
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  }
}

}  // namespace kiln::tunectl
