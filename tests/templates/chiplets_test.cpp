#include "tile/simt/chiplets.h"

#include <catch2/catch.hpp>
#include <vector>

#include "tile/bands.h"

namespace kiln::test {
namespace {

TEST_CASE("Numbered anew, every chiplet's blocks are one run, and no block is left out") {
  for (const uint32_t chiplets : {1u, 2u, 6u, 8u}) {
    for (uint32_t count = 1; count < 70; ++count) {
      CAPTURE(chiplets, count);
      std::vector<int> chiplet_at(count, -1);
      for (uint32_t number = 0; number < count; ++number) {
        const uint32_t place = tile::place_in_runs(number, count, chiplets);
        REQUIRE(place < count);
        REQUIRE(chiplet_at[place] == -1);
        chiplet_at[place] = int(number % chiplets);
      }
      for (uint32_t place = 1; place < count; ++place) {
        const int step = chiplet_at[place] - chiplet_at[place - 1];
        CHECK((step == 0 || step == 1));
      }
    }
  }
}

TEST_CASE("Bands hold every block of a grid once, and follow each other") {
  for (const int64_t firsts : {1, 3, 8}) {
    for (const int64_t seconds : {1, 4, 7}) {
      for (const int64_t band : {1, 2, 4, 16}) {
        CAPTURE(firsts, seconds, band);
        std::vector<bool> visited(size_t(firsts * seconds));
        int64_t latest = 0;
        for (int64_t number = 0; number < firsts * seconds; ++number) {
          const tile::GridPlace at = tile::place_in_bands(number, firsts, seconds, band);
          REQUIRE((at.first >= 0 && at.first < firsts));
          REQUIRE((at.second >= 0 && at.second < seconds));
          REQUIRE_FALSE(visited[size_t(at.first * seconds + at.second)]);
          visited[size_t(at.first * seconds + at.second)] = true;
          CHECK(at.second / band >= latest);
          latest = at.second / band;
          if (band == 1) CHECK(at.first == number % firsts);
        }
      }
    }
  }
  // As the header draws it.
  const tile::GridPlace at = tile::place_in_bands(8, 3, 5, 2);
  CHECK((at.first == 1 && at.second == 2));
}

}  // namespace
}  // namespace kiln::test
