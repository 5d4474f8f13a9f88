#include <catch2/catch.hpp>
#include <map>
#include <mutex>
#include <set>

#include "tests/engine/engine_fixture.h"

namespace kiln::engine::testing {
namespace {

constexpr const char* kEverything = "n=1000 scale=2 tag=0";

// A space whose exploration takes a while: variants that hang until their time-out.
EngineFixture slow_fixture() {
  return EngineFixture({Behaviour::kSlow, Behaviour::kFast, Behaviour::kSlower, Behaviour::kLoop,
                        Behaviour::kPrint});
}

void await_progress(EngineFixture& fixture, int64_t job, int64_t evaluations) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (fixture.engine->job(job)->row.evaluations < evaluations) {
    REQUIRE(std::chrono::steady_clock::now() < give_up);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

TEST_CASE("a request id makes one job") {
  EngineFixture fixture;
  fixture.open();
  const Problem problem = fixture.problem(1000);
  const JobView first = fixture.start(problem, fixture.request("a"));
  CHECK(first.row.problem.text == kEverything);
  // The same problem joins, whatever the id; each id keeps meaning that job.
  CHECK(fixture.start(problem, fixture.request("a")).row.id == first.row.id);
  CHECK(fixture.start(problem, fixture.request("b")).row.id == first.row.id);
  CHECK(fixture.start(problem, fixture.request()).row.id == first.row.id);
  fixture.await(first.row.id);
  CHECK(fixture.start(problem, fixture.request("a")).row.id == first.row.id);
  CHECK(fixture.start(problem, fixture.request("b")).row.id == first.row.id);
  CHECK(fixture.jobs() == 1);
  fixture.open();
  CHECK(fixture.start(problem, fixture.request("a")).row.id == first.row.id);
  // A problem that is tuned already is done at once, with the winner it has.
  const JobView done = fixture.start(problem, fixture.request("c"));
  CHECK(done.row.state == db::JobState::kSucceeded);
  CHECK(done.row.winner_id == fixture.get(problem).provenance.winner_id);
}

TEST_CASE("fifty threads that ask for the same problem cause one compilation and one job") {
  EngineFixture fixture;
  fixture.options.background = Background::kAlways;
  fixture.open();
  const Problem problem = fixture.problem(1000);
  std::mutex mutex;
  std::set<const Artifact*> defaults;
  std::set<int64_t> jobs;
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 50; ++t) {
      threads.emplace_back([&, t] {
        Policy policy;
        if (t % 5 == 4) policy.wait = Policy::Wait::kUntilTuned;
        const auto answer = fixture.engine->get_kernel(problem, "host", policy, {});
        failures += !answer.ok() || answer->artifact == nullptr;
        if (!answer.ok()) return;
        failures += t % 5 == 4 && answer->provenance.kind != Kind::kTuned;
        std::lock_guard lock(mutex);
        if (answer->provenance.kind == Kind::kDefault) defaults.insert(answer->artifact.get());
        if (answer->provenance.job_id != 0) jobs.insert(answer->provenance.job_id);
      });
    }
  }
  CHECK(failures == 0);
  CHECK(defaults.size() <= 1);
  CHECK(jobs.size() <= 1);
  CHECK(fixture.jobs() == 1);
}

TEST_CASE("a job that is cancelled ends, running or queued, and can be asked for again") {
  EngineFixture fixture = slow_fixture();
  fixture.open();
  const JobView running = fixture.start(fixture.problem(1000), fixture.request());
  const JobView queued = fixture.start(fixture.problem(1000, 1), fixture.request());
  await_progress(fixture, running.row.id, 1);
  CHECK(fixture.engine->cancel(queued.row.id)->row.state == db::JobState::kCancelled);
  REQUIRE(fixture.engine->cancel(running.row.id).ok());
  CHECK(fixture.await(running.row.id).row.state == db::JobState::kCancelled);
  CHECK(fixture.engine->cancel(running.row.id)->row.state == db::JobState::kCancelled);
  CHECK(absl::IsNotFound(fixture.engine->cancel(999).status()));
  CHECK(fixture.jobs({db::JobState::kCancelled}) == 2);
  CHECK(fixture.start(fixture.problem(1000), fixture.request()).row.id != running.row.id);
}

TEST_CASE("a job goes on after a restart, without measuring again what it measured") {
  EngineFixture fixture = slow_fixture();
  fixture.open();
  const Problem problem = fixture.problem(1000);
  const int64_t job = fixture.start(problem, fixture.request("resumed")).row.id;
  await_progress(fixture, job, 2);
  fixture.close();
  {
    // What a killed process leaves: the job is marked as running.
    auto store = db::open_sqlite({fixture.options.state_directory});
    REQUIRE(store.ok());
    auto row = (*store)->job(job);
    REQUIRE(row.ok());
    CHECK(row->state == db::JobState::kQueued);
    row->state = db::JobState::kRunning;
    REQUIRE((*store)->update_job(*row).ok());
  }
  fixture.open();
  const JobView done = fixture.await(job);
  INFO(done.row.error);
  CHECK(done.row.state == db::JobState::kSucceeded);
  CHECK(done.row.request_id == "resumed");
  const auto winner = fixture.engine->winner(done.row.winner_id);
  REQUIRE(winner.ok());
  CHECK(TrialFamily::behaviour(winner->measurement.config) == Behaviour::kFast);
  const auto rows = fixture.engine->measurements(*winner, {.after = 0, .limit = 1000});
  REQUIRE(rows.ok());
  // Hanging variants are never run twice; working ones are in the search once, and in the final.
  std::map<Behaviour, int> seen;
  for (const auto& row : *rows)
    ++seen[TrialFamily::behaviour(row.measurement.config)];
  CHECK(seen[Behaviour::kLoop] <= 1);
  CHECK(seen[Behaviour::kPrint] <= 1);
}

TEST_CASE("watching tells the present, changes and the end") {
  EngineFixture fixture;
  fixture.open();
  const JobView job = fixture.start(fixture.problem(1000), fixture.request());
  std::mutex mutex;
  std::vector<std::pair<db::JobState, bool>> seen;
  const auto observer = [&](const JobView& view, bool last) {
    std::lock_guard lock(mutex);
    seen.emplace_back(view.row.state, last);
  };
  const auto handle = fixture.engine->watch(job.row.id, observer);
  REQUIRE(handle.ok());
  fixture.await(job.row.id);
  const auto ended = [&] {
    std::lock_guard lock(mutex);
    return !seen.empty() && seen.back().second;
  };
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!ended()) {
    REQUIRE(std::chrono::steady_clock::now() < give_up);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  {
    std::lock_guard lock(mutex);
    CHECK(seen.size() >= 2);
    CHECK(seen.back().first == db::JobState::kSucceeded);
    for (size_t i = 0; i + 1 < seen.size(); ++i)
      CHECK_FALSE(seen[i].second);
    seen.clear();
  }
  // A job that is over is told once.
  const auto late = fixture.engine->watch(job.row.id, observer);
  REQUIRE(late.ok());
  while (!ended())
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  CHECK(absl::IsNotFound(fixture.engine->watch(999, observer).status()));
}

TEST_CASE("a subscription that is dropped is told nothing more") {
  EngineFixture fixture = slow_fixture();
  fixture.open();
  const JobView job = fixture.start(fixture.problem(1000), fixture.request());
  std::atomic<bool> dropped = false;
  std::atomic<int> late = 0;
  auto handle =
      fixture.engine->watch(job.row.id, [&](const JobView&, bool) { late += dropped ? 1 : 0; });
  REQUIRE(handle.ok());
  await_progress(fixture, job.row.id, 1);
  handle->reset();
  dropped = true;
  REQUIRE(fixture.engine->cancel(job.row.id).ok());
  fixture.await(job.row.id);
  CHECK(late == 0);
}

TEST_CASE("a deadline is answered with what is known by then") {
  EngineFixture fixture = slow_fixture();
  fixture.open();
  const Policy soon{.wait = Policy::Wait::kDeadline, .deadline = std::chrono::milliseconds(1)};
  const KernelAnswer answer = fixture.get(fixture.problem(1000), soon);
  CHECK(answer.provenance.kind == Kind::kDefault);
  CHECK(fixture.jobs({db::JobState::kQueued, db::JobState::kRunning}) == 1);
  const Policy negative{.wait = Policy::Wait::kDeadline, .deadline = std::chrono::milliseconds(-1)};
  CHECK(absl::IsInvalidArgument(
      fixture.engine->get_kernel(fixture.problem(1000), "host", negative, {}).status()));
}

TEST_CASE("a caller that goes away leaves its job running") {
  EngineFixture fixture = slow_fixture();
  fixture.open();
  std::stop_source gone;
  std::jthread leaver([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    gone.request_stop();
  });
  const auto answer = fixture.engine->get_kernel(
      fixture.problem(1000), "host", {.wait = Policy::Wait::kUntilTuned}, gone.get_token());
  CHECK(absl::IsCancelled(answer.status()));
  CHECK(fixture.jobs({db::JobState::kQueued, db::JobState::kRunning}) == 1);
}

TEST_CASE("who waits makes a background job a foreground one") {
  EngineFixture fixture;
  fixture.options.background = Background::kIdle;
  fixture.options.idle_load = -1;  // never idle enough
  fixture.open();
  const Problem problem = fixture.problem(1000);
  const int64_t job = fixture.get(problem).provenance.job_id;
  REQUIRE(job != 0);
  CHECK(fixture.engine->job(job)->row.background);
  CHECK(fixture.get(problem, {.wait = Policy::Wait::kUntilTuned}).provenance.kind == Kind::kTuned);
  CHECK_FALSE(fixture.engine->job(job)->row.background);
  CHECK(fixture.jobs() == 1);
}

TEST_CASE("an export tells winners in a stable form") {
  EngineFixture fixture;
  fixture.open();
  fixture.tune(fixture.problem(2000));
  fixture.tune(fixture.problem(1000));
  const auto document = fixture.engine->export_json({});
  REQUIRE(document.ok());
  CHECK_THAT(*document, Catch::StartsWith("{\n  \"schema\": \"kiln.export.v1\""));
  CHECK(document->find("n=1000") < document->find("n=2000"));
  CHECK_THAT(*document, Catch::Contains("\"config_text\": \"behaviour="));
  CHECK_THAT(*document, !Catch::Contains("\"config_text\": \"behaviour=0"));
  fixture.open();
  CHECK(*fixture.engine->export_json({}) == *document);
  CHECK_THAT(*fixture.engine->export_json({.family = "other"}), Catch::Contains("\"winners\": []"));
}

TEST_CASE("the doctor names what is missing and what to do") {
  EngineFixture fixture;
  fixture.options.compiler = fixture.scratch / "no-such-compiler";
  fixture.options.worker_path = fixture.scratch / "no-such-worker";
  fixture.open();
  std::map<std::string, Diagnosis> lines;
  for (const Diagnosis& line : fixture.engine->doctor()) {
    lines[line.subject] = line;
    CHECK((line.ok || !line.remedy.empty()));
    CHECK_FALSE(line.found.empty());
  }
  CHECK_FALSE(lines.at("compiler of host").ok);
  CHECK_FALSE(lines.at("worker of host").ok);
  CHECK(lines.at("database").ok);
  CHECK(lines.at("state directory").ok);
  CHECK(lines.at("load").ok);  // however high: nothing is broken
}

}  // namespace
}  // namespace kiln::engine::testing
