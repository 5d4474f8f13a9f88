#include "tile/simt/chiplets.h"

#include <catch2/catch.hpp>
#include <vector>

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

}  // namespace
}  // namespace kiln::test
