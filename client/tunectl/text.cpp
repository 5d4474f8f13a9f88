#include "client/tunectl/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace kiln::tunectl {
namespace {

constexpr char32_t kInvalid = 0xFFFFFFFF;

// The character at `position`, which moves behind it; kInvalid for a byte that starts none (then
// `position` moves by one).
char32_t next(std::string_view text, size_t& position) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(position++);
  if (lead < 0x80) return lead;
  const int trailing = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  if (lead < 0xC2 || lead > 0xF4 || position + trailing > text.size()) return kInvalid;
  char32_t character = lead & (0x3F >> trailing);
  for (int i = 0; i < trailing; ++i) {
    if ((byte(position + i) & 0xC0) != 0x80) return kInvalid;
    character = character << 6 | (byte(position + i) & 0x3F);
  }
  constexpr char32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
  if (character < kSmallest[trailing] || character > 0x10FFFF) return kInvalid;
  if (character >= 0xD800 && character < 0xE000) return kInvalid;
  position += trailing;
  return character;
}

struct Range {
  char32_t first;
  char32_t last;
};

template <size_t N>
bool within(const Range (&ranges)[N], char32_t character) {
  return std::any_of(std::begin(ranges), std::end(ranges), [&](const Range& range) {
    return character >= range.first && character <= range.last;
  });
}

// Control characters, line separators, direction overrides, zero-width characters.
constexpr Range kUnsafe[] = {
    {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},     {0x61C, 0x61C},   {0x200B, 0x200F},
    {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}};

constexpr Range kWide[] = {{0x1100, 0x115F}, {0x2E80, 0xA4CF},   {0xAC00, 0xD7A3},
                           {0xF900, 0xFAFF}, {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
                           {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};
constexpr Range kCombining[] = {{0x300, 0x36F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}};

int width_of(char32_t character) {
  if (character < 0x300) return 1;
  if (within(kCombining, character)) return 0;
  return within(kWide, character) ? 2 : 1;
}

// Bytes of the longest start of `text` that fits `width` columns.
size_t fitting_bytes(std::string_view text, int width) {
  size_t position = 0;
  for (int used = 0; position < text.size();) {
    size_t behind = position;
    used += width_of(next(text, behind));
    if (used > width) break;
    position = behind;
  }
  return position;
}

}  // namespace

bool valid_utf8(std::string_view text) {
  for (size_t position = 0; position < text.size();) {
    if (next(text, position) == kInvalid) return false;
  }
  return true;
}

std::string safe_text(std::string_view text, bool keep_lines) {
  std::string safe;
  safe.reserve(text.size());
  for (size_t position = 0; position < text.size();) {
    const size_t start = position;
    const char32_t character = next(text, position);
    if (character == kInvalid) {
      safe += fmt::format("\\x{:02x}", static_cast<uint8_t>(text[start]));
    } else if (character == '\n' && keep_lines) {
      safe += '\n';
    } else if (character == '\n') {
      safe += "\\n";
    } else if (character == '\t') {
      safe += ' ';
    } else if (within(kUnsafe, character)) {
      const auto number = static_cast<uint32_t>(character);
      safe += number < 0x80 ? fmt::format("\\x{:02x}", number) : fmt::format("\\u{{{:x}}}", number);
    } else {
      safe.append(text, start, position - start);
    }
  }
  return safe;
}

int display_width(std::string_view text) {
  int width = 0;
  for (size_t position = 0; position < text.size();)
    width += width_of(next(text, position));
  return width;
}

std::string cut(std::string_view text, int width) {
  if (display_width(text) <= width) return std::string(text);
  if (width <= 0) return "";
  return std::string(text.substr(0, fitting_bytes(text, width - 1))) + "…";
}

std::vector<std::string> wrap(std::string_view text, int width) {
  std::vector<std::string> lines;
  while (true) {
    // At least one character a line, or a wide one would never be placed.
    size_t fits = fitting_bytes(text, std::max(width, 2));
    if (fits == text.size()) break;
    size_t behind = fits;
    if (text[fits] != ' ') {
      const size_t space = text.substr(0, fits).rfind(' ');
      if (space != std::string_view::npos && space > 0) fits = behind = space;
    }
    lines.emplace_back(text.substr(0, fits));
    while (behind < text.size() && text[behind] == ' ')
      ++behind;
    text.remove_prefix(behind);
  }
  lines.emplace_back(text);
  return lines;
}

}  // namespace kiln::tunectl
