#include <catch2/catch.hpp>

#include "tests/db/store_suite.h"

namespace kiln::db::testing {
namespace {

StatusOr<std::unique_ptr<Store>> open(const std::string& directory) {
  return open_sqlite({directory});
}

TEST_CASE("sqlite keeps measurements") {
  keeps_measurements(open);
}
TEST_CASE("sqlite keeps doubles exactly") {
  keeps_doubles_exactly(open);
}
TEST_CASE("sqlite replaces winners") {
  replaces_winners(open);
}
TEST_CASE("sqlite filters and pages winners") {
  filters_and_pages_winners(open);
}
TEST_CASE("sqlite creates jobs once") {
  creates_jobs_once(open);
}
TEST_CASE("sqlite keeps artifacts") {
  keeps_artifacts(open);
}
TEST_CASE("sqlite collects garbage") {
  collects_garbage(open);
}
TEST_CASE("sqlite serves many threads") {
  serves_many_threads(open);
}

}  // namespace
}  // namespace kiln::db::testing
