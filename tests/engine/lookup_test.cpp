#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/engine/engine_fixture.h"

namespace kiln::engine::testing {
namespace {

TEST_CASE("a miss is answered with the default, a winner takes its place") {
  EngineFixture fixture;
  fixture.options.background = Background::kAlways;
  fixture.open();
  const Problem problem = fixture.problem(1000);
  const KernelAnswer first = fixture.get(problem);
  CHECK(first.provenance.kind == Kind::kDefault);
  CHECK(first.provenance.provisional);
  CHECK(behaviour_of(first) == Behaviour::kSlow);
  CHECK(first.space->text(first.config) == "behaviour=slow");
  CHECK(first.provenance.measurement.verification.units > 0);
  CHECK(first.cost.flops == 2000);
  REQUIRE(first.provenance.job_id != 0);
  CHECK(fixture.get(problem).provenance.job_id == first.provenance.job_id);

  CHECK(fixture.await(first.provenance.job_id).row.state == db::JobState::kSucceeded);
  const KernelAnswer tuned = fixture.get(problem);
  CHECK(tuned.provenance.kind == Kind::kTuned);
  CHECK_FALSE(tuned.provenance.provisional);
  CHECK_FALSE(tuned.provenance.stale);
  CHECK(tuned.provenance.job_id == 0);
  CHECK(behaviour_of(tuned) == Behaviour::kFast);
  CHECK(tuned.provenance.tuned_problem == "n=1000 scale=2 tag=0");
  REQUIRE(tuned.provenance.baseline.has_value());
  CHECK(tuned.provenance.measurement.timing.median_ns <
        tuned.provenance.baseline->timing.median_ns);
  CHECK(tuned.provenance.measurement.verification.seeds == 2);
  CHECK(fixture.jobs() == 1);

  SECTION("and is found after a restart, without tuning or compiling") {
    fixture.open();
    const KernelAnswer again = fixture.get(problem, {.frozen = true});
    CHECK(again.provenance.kind == Kind::kTuned);
    CHECK(again.artifact->hash == tuned.artifact->hash);
    CHECK(*again.plan == *tuned.plan);
    CHECK(fixture.jobs() == 1);
  }
  SECTION("and is gone when it is deleted") {
    fixture.options.background = Background::kNever;
    fixture.open();
    REQUIRE(fixture.get(problem).provenance.kind == Kind::kTuned);
    REQUIRE(fixture.engine->delete_winner(tuned.provenance.winner_id).ok());
    CHECK(fixture.get(problem).provenance.kind == Kind::kDefault);
  }
  SECTION("and is compiled and verified again when its artifact is lost") {
    const std::string file = fixture.scratch / ("state/artifacts/" + tuned.artifact->hash);
    REQUIRE(std::filesystem::remove(file));
    fixture.open();
    CHECK_FALSE(fixture.finds(problem, {.stand_in = Policy::StandIn::kNone, .frozen = true}));
    CHECK(fixture.get(problem).provenance.kind == Kind::kTuned);
    CHECK(std::filesystem::exists(file));
  }
}

TEST_CASE("a similar problem's winner stands in") {
  EngineFixture fixture;
  fixture.open();
  fixture.tune(fixture.problem(1000));
  const KernelAnswer near = fixture.get(fixture.problem(2000));
  CHECK(near.provenance.kind == Kind::kTransferred);
  CHECK(near.provenance.provisional);
  CHECK(near.provenance.tuned_problem == "n=1000 scale=2 tag=0");
  CHECK(behaviour_of(near) == Behaviour::kFast);
  CHECK(near.cost.flops == 4000);

  // More than four times as large, other statics, or not wanted: the default.
  CHECK(fixture.get(fixture.problem(9000)).provenance.kind == Kind::kDefault);
  CHECK(fixture.get(fixture.problem(1000, 1)).provenance.kind == Kind::kDefault);
  CHECK(fixture.get(fixture.problem(3000), {.stand_in = Policy::StandIn::kDefaultOnly})
            .provenance.kind == Kind::kDefault);
  CHECK_FALSE(fixture.finds(fixture.problem(3000), {.stand_in = Policy::StandIn::kNone}));

  // A nearer winner replaces the stand-in that was handed out.
  const int64_t nearer = fixture.tune(fixture.problem(2500));
  CHECK(fixture.get(fixture.problem(2000)).provenance.winner_id == nearer);
}

TEST_CASE("frozen neither tunes nor compiles") {
  EngineFixture fixture;
  fixture.options.background = Background::kAlways;
  fixture.open();
  const Policy frozen{.wait = Policy::Wait::kUntilTuned, .frozen = true};
  CHECK_FALSE(fixture.finds(fixture.problem(1000), frozen));
  CHECK(fixture.jobs() == 0);
  fixture.options.background = Background::kNever;
  fixture.open();
  fixture.get(fixture.problem(1000));  // compiles the default
  CHECK(fixture.get(fixture.problem(1000), frozen).provenance.kind == Kind::kDefault);
  CHECK(fixture.jobs() == 0);
}

TEST_CASE("an exact match is of exactly this problem") {
  EngineFixture fixture;
  fixture.open();
  fixture.tune(fixture.problem(1000));
  const Problem same_bucket = fixture.problem(1001);
  CHECK(fixture.get(same_bucket).provenance.kind == Kind::kTuned);
  CHECK(fixture.get(fixture.problem(1000), {.exact = true}).provenance.kind == Kind::kTuned);
  CHECK_FALSE(fixture.finds(same_bucket, {.exact = true}));
  const KernelAnswer exact =
      fixture.get(same_bucket, {.wait = Policy::Wait::kUntilTuned, .exact = true});
  CHECK(exact.provenance.tuned_problem == "n=1001 scale=2 tag=0");
}

TEST_CASE("a pinned winner is that one or an error") {
  EngineFixture fixture;
  fixture.open();
  const Problem problem = fixture.problem(1000);
  const int64_t first = fixture.tune(problem);
  TuneRequest again = fixture.request();
  again.force = true;
  const int64_t second = fixture.await(fixture.start(problem, again).row.id).row.winner_id;
  CHECK(second != first);
  CHECK(fixture.get(problem).provenance.winner_id == second);
  const KernelAnswer pinned = fixture.get(problem, {.pinned_winner = first});
  CHECK(pinned.provenance.winner_id == first);
  CHECK_FALSE(pinned.provenance.provisional);

  const auto unknown = fixture.engine->get_kernel(problem, "host", {.pinned_winner = 999}, {});
  CHECK(absl::IsNotFound(unknown.status()));
  const auto other =
      fixture.engine->get_kernel(fixture.problem(1000, 1), "host", {.pinned_winner = first}, {});
  CHECK(absl::IsFailedPrecondition(other.status()));
  REQUIRE(field_violation(other.status()).has_value());
  CHECK(field_violation(other.status())->field == "pinned_winner");
}

TEST_CASE("when the source changed, a winner is stale until it is tuned again") {
  EngineFixture fixture;
  fixture.open();
  const Problem problem = fixture.problem(1000);
  const int64_t id = fixture.tune(problem);
  const std::string hash = fixture.get(problem).artifact->hash;
  CHECK_FALSE(fixture.engine->stale(*fixture.engine->winner(id)));

  fixture.sources["trial/kernel.h"] += "\n// A change.\n";
  fixture.open();
  CHECK(fixture.engine->stale(*fixture.engine->winner(id)));
  const KernelAnswer stale = fixture.get(problem);
  CHECK(stale.provenance.kind == Kind::kTuned);
  CHECK(stale.provenance.stale);
  CHECK(stale.provenance.provisional);
  CHECK(stale.artifact->hash == hash);
  // Other problems get it compiled from today's source.
  CHECK(fixture.get(fixture.problem(2000)).provenance.stale);
  SECTION("which a job does, beginning with its config") {
    const int64_t fresh = fixture.tune(problem);
    CHECK(fresh != id);
    CHECK_FALSE(fixture.get(problem).provenance.stale);
  }
  SECTION("and without its artifact it is compiled and verified with its config") {
    REQUIRE(std::filesystem::remove(fixture.scratch / ("state/artifacts/" + hash)));
    fixture.open();
    const KernelAnswer compiled = fixture.get(problem);
    CHECK(compiled.provenance.stale);
    CHECK(behaviour_of(compiled) == Behaviour::kFast);
  }
}

TEST_CASE("a default that fails its check is never served") {
  EngineFixture fixture({Behaviour::kWrong, Behaviour::kFast});
  fixture.open();
  const auto refused = fixture.engine->get_kernel(fixture.problem(1000), "host", {}, {});
  CHECK(absl::IsFailedPrecondition(refused.status()));
  const KernelAnswer tuned =
      fixture.get(fixture.problem(1000), {.wait = Policy::Wait::kUntilTuned});
  CHECK(behaviour_of(tuned) == Behaviour::kFast);
  CHECK_FALSE(tuned.provenance.baseline.has_value());
}

TEST_CASE("without a compiler known winners are served") {
  EngineFixture fixture;
  fixture.open();
  fixture.tune(fixture.problem(1000));
  fixture.options.compiler = fixture.scratch / "no-such-compiler";
  fixture.open();
  CHECK(fixture.get(fixture.problem(1000)).provenance.kind == Kind::kTuned);
  CHECK(fixture.get(fixture.problem(2000)).provenance.kind == Kind::kTransferred);
  const auto missing = fixture.engine->get_kernel(fixture.problem(1000, 1), "host", {}, {});
  CHECK(absl::IsUnavailable(missing.status()));
  CHECK(absl::IsUnavailable(
      fixture.engine->tune(fixture.problem(1000, 1), fixture.request()).status()));
  CHECK_FALSE(fixture.engine->devices().front().can_compile);
}

TEST_CASE("bad requests name what is wrong") {
  EngineFixture fixture;
  fixture.open();
  const auto check_field = [](const Status& status, absl::StatusCode code, const std::string& field,
                              const std::string& words) {
    INFO(status);
    CHECK(status.code() == code);
    REQUIRE(field_violation(status).has_value());
    CHECK(field_violation(status)->field == field);
    CHECK_THAT(std::string(status.message()), Catch::Contains(words));
  };
  const Problem problem = fixture.problem(1000);
  Engine& engine = *fixture.engine;
  check_field(engine.get_kernel(problem, "cuda:7", {}, {}).status(),
              absl::StatusCode::kFailedPrecondition, "device",
              engine.devices().front().fingerprint.text());
  check_field(engine.family("attention").status(), absl::StatusCode::kNotFound, "family", "trial");
  check_field(engine.problem("trial", {{"m", int64_t(3)}}).status(),
              absl::StatusCode::kInvalidArgument, "m", "");
  check_field(engine.problem("trial", {{"n", int64_t(3)}, {"tag", int64_t(13)}}).status(),
              absl::StatusCode::kInvalidArgument, "tag", "luckier");
  const Problem enormous = fixture.problem(int64_t(1) << 39);
  check_field(engine.problem("trial", {{"n", int64_t(1) << 39}}).status(),
              absl::StatusCode::kResourceExhausted, "n", "GiB");
  check_field(engine.get_kernel(enormous, "host", {}, {}).status(),
              absl::StatusCode::kResourceExhausted, "n", "GiB");
  check_field(engine.tune(enormous, fixture.request()).status(),
              absl::StatusCode::kResourceExhausted, "n", "GiB");
  TuneRequest request = fixture.request();
  request.options.strategy = "astrology";
  check_field(engine.tune(problem, request).status(), absl::StatusCode::kInvalidArgument,
              "strategy", "random");
  request = fixture.request();
  request.options.budget.evaluations = 0;
  check_field(engine.tune(problem, request).status(), absl::StatusCode::kInvalidArgument,
              "budget.evaluations", "at least 1");
  CHECK(fixture.jobs() == 0);
  // A device may be named by its fingerprint.
  CHECK(engine.get_kernel(problem, engine.devices().front().fingerprint.text(), {}, {}).ok());
}

TEST_CASE("a full disk fails no lookup") {
  EngineFixture fixture;
  fixture.options.background = Background::kAlways;
  fixture.open();
  *fixture.disk_full = true;
  const Problem problem = fixture.problem(1000);
  CHECK(fixture.get(problem).provenance.kind == Kind::kDefault);
  CHECK(fixture.get(problem, {.wait = Policy::Wait::kUntilTuned}).provenance.kind ==
        Kind::kDefault);
  CHECK(absl::IsResourceExhausted(fixture.engine->tune(problem, fixture.request()).status()));
  *fixture.disk_full = false;
  CHECK(fixture.get(problem, {.wait = Policy::Wait::kUntilTuned}).provenance.kind == Kind::kTuned);
}

TEST_CASE("sources of a templates directory take the place of embedded ones") {
  const kiln::testing::ScratchDirectory scratch;
  const auto embedded = Catalogue::embedded("");
  REQUIRE(embedded.ok());
  std::filesystem::create_directories(scratch / "tile");
  std::ofstream(scratch / "tile/host.h") << "// mine\n";
  std::ofstream(scratch / "tile/notes.txt") << "not a source\n";
  const auto mine = Catalogue::embedded(scratch.path());
  REQUIRE(mine.ok());
  CHECK(mine->sources().at("tile/host.h") == "// mine\n");
  CHECK(mine->sources().at("tile/core.h") == embedded->sources().at("tile/core.h"));
  CHECK_FALSE(mine->sources().contains("tile/notes.txt"));
  CHECK(absl::IsNotFound(Catalogue::embedded(scratch / "nowhere").status()));
}

}  // namespace
}  // namespace kiln::engine::testing
