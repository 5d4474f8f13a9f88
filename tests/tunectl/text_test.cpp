#include "client/tunectl/text.h"

#include <catch2/catch.hpp>

#include "client/tunectl/units.h"

namespace kiln::tunectl {

TEST_CASE("Text that could steer a terminal is escaped") {
  CHECK(safe_text("plain µs ×") == "plain µs ×");
  CHECK(safe_text("\x1b[31mred\x1b[0m") == "\\x1b[31mred\\x1b[0m");
  CHECK(safe_text(std::string("a\0b", 3)) == "a\\x00b");
  CHECK(safe_text("a\rb\x7f") == "a\\x0db\\x7f");
  CHECK(safe_text("\xc2\x9b"
                  "31m") == "\\u{9b}31m");                          // CSI as one character
  CHECK(safe_text("user\u202egnp.exe") == "user\\u{202e}gnp.exe");  // right-to-left override
  CHECK(safe_text("two\nlines") == "two\\nlines");
  CHECK(safe_text("two\nlines\x1b", true) == "two\nlines\\x1b");
}

TEST_CASE("Bytes that are not UTF-8 are escaped and told") {
  for (const std::string bad : {"\x80", "\xff", "\xc3", "\xe2\x82", "\xc0\xaf", "\xed\xa0\x80",
                                "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"}) {
    CAPTURE(safe_text(bad));
    CHECK_FALSE(valid_utf8(bad));
    CHECK(valid_utf8(safe_text(bad)));
    CHECK(safe_text(bad).substr(0, 2) == "\\x");
  }
  CHECK(valid_utf8("€ 😀 ÿ"));
}

TEST_CASE("Width counts columns") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("12.3 µs") == 7);
  CHECK(display_width("漢字") == 4);
  CHECK(display_width("e\u0301") == 1);
}

TEST_CASE("Text is cut with an ellipsis inside its width") {
  CHECK(cut("short", 5) == "short");
  CHECK(cut("longer", 5) == "long…");
  CHECK(cut("漢字漢字", 4) == "漢…");
  CHECK(cut("longer", 0).empty());
}

TEST_CASE("Wrapping breaks at spaces, and inside words that are too long") {
  CHECK(wrap("one two three", 7) == std::vector<std::string>{"one two", "three"});
  CHECK(wrap("abcdefgh", 3) == std::vector<std::string>{"abc", "def", "gh"});
  CHECK(wrap("", 10) == std::vector<std::string>{""});
  for (const int width : {1, 2, 5, 80}) {
    for (const std::string& line : wrap("漢字 a 漢字漢字 batch=1 heads_q=32", width)) {
      CHECK(display_width(line) <= std::max(width, 2));
    }
  }
}

TEST_CASE("Numbers get three digits and a unit") {
  CHECK(time_text(812) == "812 ns");
  CHECK(time_text(12'400) == "12.4 µs");
  CHECK(time_text(999'700) == "1.00 ms");
  CHECK(time_text(3'210'000) == "3.21 ms");
  CHECK(time_text(71e9) == "71.0 s");
  CHECK(time_text(0) == "–");
  CHECK(bytes_text(512) == "512 B");
  CHECK(bytes_text(1.5 * 1024 * 1024) == "1.50 MiB");
  CHECK(rate_text(123.4e9, 'f') == "123 GFLOP/s");
  CHECK(rate_text(2.71e10, 'b') == "27.1 GB/s");
  CHECK(percent_text(0.861) == "86.1 %");
  CHECK(ratio_text(1.837) == "1.84×");
  CHECK(count_text(1'234'567) == "1,234,567");
  CHECK(count_text(-1234) == "-1,234");
  CHECK(count_text(100) == "100");
  CHECK(span_text(8.4) == "8 s");
  CHECK(span_text(125) == "2 min 05 s");
  CHECK(span_text(11'400) == "3 h 10 min");
  CHECK(ago_text(100, 90) == "0 s ago");  // a clock behind the service's
}

}  // namespace kiln::tunectl
