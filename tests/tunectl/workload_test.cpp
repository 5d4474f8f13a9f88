#include "client/tunectl/workload.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace kiln::tunectl {
namespace {

using Cells = std::vector<std::string>;

Workload accepted(std::string_view content) {
  const auto workload = parse_workload(content);
  INFO(content);
  REQUIRE(workload.ok());
  return *workload;
}

std::string refusal(std::string_view content, const WorkloadLimits& limits = {}) {
  const auto workload = parse_workload(content, limits);
  INFO(content);
  REQUIRE_FALSE(workload.ok());
  CHECK(absl::IsInvalidArgument(workload.status()));
  return std::string(workload.status().message());
}

}  // namespace

TEST_CASE("A plain table") {
  const Workload workload = accepted("name,batch\na,1\nb,2\n");
  CHECK(workload.columns == Cells{"name", "batch"});
  REQUIRE(workload.rows.size() == 2);
  CHECK(workload.rows[0].cells == Cells{"a", "1"});
  CHECK(workload.rows[1].line == 3);
  CHECK(workload.find("batch") == 1);
  CHECK_FALSE(workload.find("Batch"));
}

TEST_CASE("Line ends, byte order mark, empty lines and comments do not matter") {
  for (const std::string_view content :
       {"a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4\r\n", "a,b\n1,2\n3,4",
        "\xEF\xBB\xBF"
        "a,b\n1,2\n3,4\n",
        "\n\n# comment, \"odd\na,b\n\n1,2\n   \n#3,4,5\n3,4\n\n", "a , b\n 1,2 \n3\t, 4\n"}) {
    const Workload workload = accepted(content);
    CHECK(workload.columns == Cells{"a", "b"});
    REQUIRE(workload.rows.size() == 2);
    CHECK(workload.rows[0].cells == Cells{"1", "2"});
    CHECK(workload.rows[1].cells == Cells{"3", "4"});
  }
}

TEST_CASE("Lines are counted as an editor counts them") {
  CHECK(accepted("\n# x\r\na\r\n\r\n1\r\n").rows[0].line == 5);
  CHECK(accepted("\na\n1\n").header_line == 2);
}

TEST_CASE("Quoted cells keep commas, quotes and spaces") {
  const Workload workload =
      accepted("\"a\",b\n\"x, y\",\" z \"\n\"say \"\"hi\"\"\" ,\"\"\n \"q\",#no comment\n");
  CHECK(workload.columns == Cells{"a", "b"});
  CHECK(workload.rows[0].cells == Cells{"x, y", " z "});
  CHECK(workload.rows[1].cells == Cells{"say \"hi\"", ""});
  CHECK(workload.rows[2].cells == Cells{"q", "#no comment"});
}

TEST_CASE("Empty cells are cells") {
  CHECK(accepted("a,b,c\n,,\n").rows[0].cells == Cells{"", "", ""});
}

TEST_CASE("Broken quotes are named by line and column") {
  CHECK(refusal("a,b\n1,2\n3,\"4\n") ==
        "line 3: column 2 (b) has a quote that is not closed on its line");
  CHECK(refusal("a,b\n\"1\"x,2\n") ==
        "line 2: column 1 (a) has text behind a closing quote; expected a comma");
  CHECK(refusal("a,b\n1,2\"3\"\n") ==
        "line 2: column 2 (b) has a quote in the middle of a cell; quote the whole cell and double "
        "it");
  CHECK(refusal("\"a\n").substr(0, 8) == "line 1: ");
}

TEST_CASE("Rows that do not match the header are named with what is missing or too much") {
  CHECK(refusal("a,b,c\n1,2,3\n1\n") == "line 3: has 1 of 3 cells; missing: b, c");
  CHECK(refusal("a,b\n\n1,2,3\n") == "line 3: has 3 cells, the header (line 1) has 2 columns");
}

TEST_CASE("Headers must name every column once") {
  CHECK(refusal("a,,c\n") == "line 1: column 2 has no name");
  CHECK(refusal("a,b,a\n") == "line 1: column a appears twice");
  CHECK(refusal("").find("empty") != std::string::npos);
  CHECK(refusal("# only a comment\n\n").find("empty") != std::string::npos);
}

TEST_CASE("A header without rows is an empty workload") {
  CHECK(accepted("a,b\n").rows.empty());
}

TEST_CASE("Control characters, NUL bytes and text that is not UTF-8 are refused") {
  CHECK(refusal(std::string_view("a,b\n1,\0002\n", 9)) ==
        "line 2: column 2 (b) has the control character \\x00");
  CHECK(refusal("a,b\n1,\x1b[31m\n") == "line 2: column 2 (b) has the control character \\x1b");
  CHECK(refusal("a,b\n\xff\xfe,2\n") == "line 2: column 1 (a) has text that is not UTF-8");
  CHECK(refusal("a\x01,b\n").find("\\x01") != std::string::npos);
  CHECK(refusal("a\rb,c\n").find("\\x0d") != std::string::npos);  // lone carriage returns
}

TEST_CASE("Sizes are bounded") {
  CHECK(refusal("a\n" + std::string(100'000, 'x') + "\n") == "line 2: is longer than 65536 bytes");
  CHECK(refusal(std::string(1000, ',')).find("has no name") == std::string::npos);
  CHECK(refusal("a,b,c\n", {.columns = 2}) == "line 1: the header has 3 columns; at most 2");
  CHECK(refusal("a\n1\n2\n3\n", {.rows = 2}) == "line 4: more than 2 rows");
  CHECK(refusal("a\n1\n", {.file_bytes = 3}).find("larger") != std::string::npos);
}

TEST_CASE("A workload cut at any byte is read or refused with a line") {
  const std::string whole = "name,\"b\"\r\n# c\nx,\"1, \"\"2\"\"\"\n\ny,\"µ\"\n";
  for (size_t length = 0; length <= whole.size(); ++length) {
    const auto workload = parse_workload(std::string_view(whole).substr(0, length));
    CAPTURE(length);
    if (!workload.ok()) {
      const std::string message(workload.status().message());
      CHECK((message.find("line ") == 0 || message.find("empty") != std::string::npos));
    }
  }
}

TEST_CASE("Random bytes never break the reader") {
  constexpr char kAlphabet[] = {',', '"', '\n', '\r', '#', ' ', 'a', '1', '\0', '\x80'};
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    uint64_t state = seed * 0x9E3779B97F4A7C15ull + 1;
    std::string content;
    for (int i = 0; i < 40; ++i) {
      state = state * 6364136223846793005ull + 1442695040888963407ull;
      content += kAlphabet[(state >> 33) % sizeof kAlphabet];
    }
    const auto workload = parse_workload(content);
    if (!workload.ok()) continue;
    for (const WorkloadRow& row : workload->rows) {
      CAPTURE(seed);
      CHECK(row.cells.size() == workload->columns.size());
    }
  }
}

TEST_CASE("Files that cannot be read are named") {
  const auto missing = read_workload("/nonexistent/file.csv");
  CHECK(absl::IsNotFound(missing.status()));
  CHECK(missing.status().message().find("/nonexistent/file.csv") != std::string::npos);
  const auto directory = read_workload("/");
  CHECK(absl::IsInvalidArgument(directory.status()));

  const auto path =
      std::filesystem::temp_directory_path() / ("kiln-workload-" + std::to_string(getpid()));
  std::ofstream(path) << "a,b\n1\n";
  const auto broken = read_workload(path);
  CHECK(broken.status().message() == path.string() + ": line 2: has 1 of 2 cells; missing: b");
  std::filesystem::remove(path);
}

}  // namespace kiln::tunectl
