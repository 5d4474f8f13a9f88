// The checksum of a row: XXH3-64 over its values, each with its length in front, so that bytes
// cannot move from one value to the next unseen.

#pragma once

#include <xxhash.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace kiln::db {

class Checksum {
 public:
  Checksum& add(int64_t value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Checksum& add(std::string_view text) {
    add(int64_t(text.size()));
    bytes_.append(text);
    return *this;
  }
  int64_t value() const { return int64_t(XXH3_64bits(bytes_.data(), bytes_.size())); }

 private:
  std::string bytes_;
};

}  // namespace kiln::db
