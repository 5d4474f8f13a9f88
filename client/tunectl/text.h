// Text on its way to a terminal: made safe, measured in columns, cut and wrapped.
//
// Strings from files, flags and the service may hold anything. safe_text() is what stands between
// them and the terminal; the other functions expect its output.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kiln::tunectl {

bool valid_utf8(std::string_view text);

// `text` with control characters, bytes that are not UTF-8, and characters that reorder or hide
// text replaced by escapes such as \x1b or \u{202e}. Line ends stay only with `keep_lines`.
std::string safe_text(std::string_view text, bool keep_lines = false);

// Columns that `text` takes: 2 for wide East Asian characters and pictographs, 0 for combining
// marks.
int display_width(std::string_view text);

// `text` itself if it fits, else its start and "…", exactly `width` columns wide or one less.
std::string cut(std::string_view text, int width);

// Lines of at most `width` columns, broken at spaces where possible; at least one line.
std::vector<std::string> wrap(std::string_view text, int width);

}  // namespace kiln::tunectl
