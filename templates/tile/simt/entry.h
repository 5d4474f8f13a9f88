// What the entry headers of hardware targets share.

#pragma once

namespace tile {

constexpr bool same_text(const char* a, const char* b) {
  while (*a && *a == *b)
    ++a, ++b;
  return *a == *b;
}

}  // namespace tile
