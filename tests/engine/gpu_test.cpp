// An engine with a GPU beside the host, by way of the tests' driver and compiler.

#include <filesystem>
#include <fstream>

#include "tests/engine/engine_fixture.h"
#include "tests/support/shimmed_driver.h"

namespace kiln::engine {

using Catch::Contains;
using kiln::testing::ScopedVariable;
using kiln::testing::ShimmedDriver;

namespace {

struct GpuEngine {
  explicit GpuEngine(std::vector<testing::Behaviour> behaviours)
      : fixture(std::move(behaviours)), lost("KILN_SHIM_LOST", fixture.scratch / "lost") {
    fixture.options.devices = {"host", "cuda:0"};
    fixture.open();
  }

  JobView tune(const Problem& problem, const std::string& device) {
    TuneRequest request = fixture.request();
    request.device = device;
    return fixture.await(fixture.start(problem, request).row.id);
  }
  std::string unavailable(size_t device) { return fixture.engine->devices()[device].unavailable; }

  ShimmedDriver driver;
  testing::EngineFixture fixture;
  ScopedVariable lost;
};

}  // namespace

TEST_CASE("a winner of a GPU is stored, answered, and told from the host's") {
  GpuEngine gpu({testing::Behaviour::kSlow, testing::Behaviour::kFast});
  const Problem problem = gpu.fixture.problem(10'000);
  const JobView done = gpu.tune(problem, "cuda:0");
  INFO(done.row.error);
  REQUIRE(done.row.state == db::JobState::kSucceeded);
  for (const bool reopened : {false, true}) {
    if (reopened) gpu.fixture.open();
    const auto answer = gpu.fixture.engine->get_kernel(problem, "cuda:0", {}, {});
    INFO(answer.status());
    REQUIRE(answer.ok());
    REQUIRE(answer->artifact != nullptr);
    CHECK(answer->artifact->target_kind == "cuda");
    CHECK(answer->provenance.kind == Provenance::Kind::kTuned);
    CHECK_FALSE(answer->provenance.stale);
    CHECK(testing::behaviour_of(*answer) == testing::Behaviour::kFast);
    CHECK_THAT(answer->fingerprint, Contains("Shim A100"));
  }
  const KernelAnswer host = gpu.fixture.get(problem);
  CHECK(host.provenance.kind == Provenance::Kind::kDefault);
  CHECK(host.artifact->target_kind == "host");
}

TEST_CASE("a GPU that disappears is said to be unavailable, and the host is served on") {
  GpuEngine gpu({testing::Behaviour::kSlow, testing::Behaviour::kFast});
  // Of another tag nothing stands in.
  const Problem tuned = gpu.fixture.problem(10'000), other = gpu.fixture.problem(20'000, 1);
  REQUIRE(gpu.tune(tuned, "cuda:0").row.state == db::JobState::kSucceeded);
  std::ofstream(gpu.fixture.scratch / "lost");
  const JobView failed = gpu.tune(other, "cuda:0");
  CHECK(failed.row.state == db::JobState::kFailed);
  CHECK_THAT(failed.row.error, Contains("cuda:0") && Contains("unavailable"));
  CHECK_THAT(gpu.unavailable(1), Contains("unavailable"));
  CHECK(gpu.unavailable(0).empty());
  const auto untuned = gpu.fixture.engine->get_kernel(other, "cuda:0", {}, {});
  CHECK(untuned.status().code() == absl::StatusCode::kFailedPrecondition);
  // What is known needs no device.
  CHECK(gpu.fixture.engine->get_kernel(tuned, "cuda:0", {}, {}).ok());
  CHECK(gpu.tune(other, "host").row.state == db::JobState::kSucceeded);
}

TEST_CASE("a GPU whose driver does not work is left out, and who asks for it is told why") {
  const ShimmedDriver driver("old");
  testing::EngineFixture fixture;
  fixture.options.devices = {"host", "cuda:0"};
  fixture.open();
  CHECK(fixture.engine->devices().size() == 1);
  fixture.get(fixture.problem(1'000));
  const Status refused =
      fixture.engine->get_kernel(fixture.problem(1'000), "cuda:0", {}, {}).status();
  CHECK(refused.code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(refused.message()), Contains("11.4 is too old"));
  // Alone it is no device to start with.
  fixture.close();
  fixture.options.devices = {"cuda:0"};
  auto store = db::open_sqlite({fixture.options.state_directory});
  REQUIRE(store.ok());
  const Status alone =
      LocalEngine::open(fixture.options, Catalogue({&fixture.family}, fixture.sources),
                        *std::move(store))
          .status();
  CHECK(alone.code() == absl::StatusCode::kUnavailable);
}

TEST_CASE("a GPU that is not there is refused by name") {
  const ShimmedDriver driver;
  testing::EngineFixture fixture;
  fixture.options.devices = {"host", "cuda:5"};
  auto store = db::open_sqlite({fixture.options.state_directory});
  REQUIRE(store.ok());
  const auto opened = LocalEngine::open(
      fixture.options, Catalogue({&fixture.family}, fixture.sources), *std::move(store));
  CHECK(opened.status().code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(opened.status().message()),
             Contains("no device cuda:5") && Contains("CUDA driver 12.8 shows 2"));
}

}  // namespace kiln::engine
