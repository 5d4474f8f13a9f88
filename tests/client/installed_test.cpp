// What an installed tree offers: find_package(Kiln), and the example built against it and run.

#include <cstdlib>

#include "tests/support/kilnd_process.h"

namespace kiln {
namespace {

using testing::KilndProcess;

// Runs a command quietly; its output is shown when it fails.
void run(const testing::ScratchDirectory& scratch, const std::string& command) {
  const std::string log = scratch / "log";
  const int status = std::system((command + " > " + log + " 2>&1").c_str());
  std::stringstream text;
  text << std::ifstream(log).rdbuf();
  INFO(command << "\n" << text.str());
  REQUIRE(status == 0);
}

TEST_CASE("the example builds against an installed tree, fetches, launches and checks") {
  const testing::ScratchDirectory scratch;
  const std::string prefix = scratch / "installed", build = scratch / "build";
  run(scratch, std::string("cmake --install ") + KILN_BINARY_DIRECTORY +
                   " --component client --prefix " + prefix);
  run(scratch, std::string("cmake -G Ninja -S ") + prefix + "/share/kiln/examples -B " + build +
                   " -DCMAKE_PREFIX_PATH=" + prefix + " -DCMAKE_CXX_COMPILER=" + KILN_CXX_COMPILER +
                   " -DCMAKE_CXX_FLAGS='" + KILN_CXX_FLAGS + "'");
  run(scratch, "cmake --build " + build);

  KilndProcess kilnd;
  kilnd.start();
  run(scratch, build + "/launch " + kilnd.socket());
  CHECK(kilnd.end(SIGTERM) == 0);
}

}  // namespace
}  // namespace kiln
