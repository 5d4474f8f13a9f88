// What the in-process cache finds kernels by. Hashed when it changes, not when it is looked up.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace kiln {

struct KernelKey {
  static constexpr size_t kMaxSizes = 16;

  uint64_t group = 0;                      // family, statics and policy
  uint32_t count = 0;                      // of sizes
  std::array<int64_t, kMaxSizes> sizes{};  // buckets, in schema order
  uint64_t hash = 0;

  void update_hash() {
    uint64_t state = group;
    for (uint32_t i = 0; i < count; ++i)
      state = mix(state ^ uint64_t(sizes[i]));
    hash = mix(state);
  }

  bool operator==(const KernelKey& other) const {
    return hash == other.hash && group == other.group && count == other.count &&
           std::equal(sizes.begin(), sizes.begin() + count, other.sizes.begin());
  }

 private:
  // The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
  static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }
};

}  // namespace kiln
