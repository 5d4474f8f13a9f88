#include "tuner/load_meter.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <thread>

#include "tests/support/scratch_directory.h"

namespace kiln::tuner {

using namespace std::chrono_literals;

namespace {

class Computer {
 public:
  // Two processors that have been busy for so long, a hundred ticks a second.
  void busy(double seconds) {
    std::ofstream file(path());
    const auto ticks = std::to_string(int64_t(seconds * 100));
    file << "cpu " << ticks << " 0 0 5000 0 0 0 0 0 0\ncpu0 0 0 0 0\ncpu1 0 0 0 0\nintr 7\n";
  }
  std::string path() const { return directory_ / "stat"; }

 private:
  testing::ScratchDirectory directory_;

 public:
  std::chrono::nanoseconds own{0};
  LoadMeter meter{[this] { return own; }, path()};
};

}  // namespace

TEST_CASE("the load of others is what is left of a second without one's own") {
  Computer machine;
  machine.busy(10);
  CHECK_FALSE(machine.meter.look());  // nothing to compare with
  std::this_thread::sleep_for(1050ms);
  machine.busy(10 + 2 * 1.05);  // both processors all the time, one of them by ourselves
  machine.own = 1050ms;
  const auto load = machine.meter.look();
  REQUIRE(load);
  CHECK(*load > 0.2);
  CHECK(*load < 0.6);
  CHECK_FALSE(machine.meter.look());  // that second is used up
}

TEST_CASE("without statistics the machine counts as idle") {
  LoadMeter meter([] { return 0ns; }, "/nonexistent/stat");
  CHECK(meter.look() == 0.0);
}

}  // namespace kiln::tuner
