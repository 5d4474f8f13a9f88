// An engine over the trial family with a real tuner, on a state directory that outlives it.

#pragma once

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/local_engine.h"
#include "tests/engine/faulty_store.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/trial_family.h"

namespace kiln::engine::testing {

using kiln::testing::Behaviour;
using kiln::testing::TrialFamily;
using Kind = Provenance::Kind;

class EngineFixture {
 public:
  explicit EngineFixture(std::vector<Behaviour> behaviours = {Behaviour::kSlow, Behaviour::kFast})
      : family(std::move(behaviours)), sources(TrialFamily::sources()) {
    options.state_directory = scratch / "state";
    options.worker_path = std::string(KILN_BINARY_DIRECTORY) + "/bin/kiln-worker";
    options.background = Background::kNever;
  }

  void open() {
    close();
    auto store = db::open_sqlite({options.state_directory});
    INFO(store.status());
    REQUIRE(store.ok());
    auto opened = LocalEngine::open(options, Catalogue({&family}, sources),
                                    std::make_unique<FaultyStore>(*std::move(store), disk_full));
    INFO(opened.status());
    REQUIRE(opened.ok());
    engine = *std::move(opened);
  }
  void close() { engine.reset(); }

  Problem problem(int64_t n, int64_t tag = 0) const { return family.problem(n, 2.0, tag); }

  // An answer with code.
  KernelAnswer get(const Problem& problem, const Policy& policy = {}) {
    auto answer = engine->get_kernel(problem, "host", policy, {});
    INFO(problem.text() << ": " << answer.status());
    REQUIRE(answer.ok());
    REQUIRE(answer->artifact != nullptr);
    REQUIRE(answer->plan != nullptr);
    return *std::move(answer);
  }
  bool finds(const Problem& problem, const Policy& policy) {
    auto answer = engine->get_kernel(problem, "host", policy, {});
    INFO(problem.text() << ": " << answer.status());
    REQUIRE(answer.ok());
    return answer->artifact != nullptr;
  }

  TuneRequest request(const std::string& request_id = "") const {
    TuneRequest request;
    request.request_id = request_id;
    request.options.cache = CachePolicy::kWarm;  // small buffers: a second less
    return request;
  }
  JobView start(const Problem& problem, const TuneRequest& request) {
    auto job = engine->tune(problem, request);
    INFO(job.status());
    REQUIRE(job.ok());
    return *std::move(job);
  }
  JobView await(int64_t job_id) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    for (;;) {
      auto view = engine->job(job_id);
      INFO(view.status());
      REQUIRE(view.ok());
      const auto state = view->row.state;
      if (state != db::JobState::kQueued && state != db::JobState::kRunning) return *view;
      REQUIRE(std::chrono::steady_clock::now() < give_up);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  // Tunes and returns the winner's id.
  int64_t tune(const Problem& problem) {
    const JobView done = await(start(problem, request()).row.id);
    INFO(done.row.error);
    REQUIRE(done.row.state == db::JobState::kSucceeded);
    return done.row.winner_id;
  }
  size_t jobs(const std::vector<db::JobState>& states = {}) {
    auto jobs = engine->jobs(states, {.after = 0, .limit = 1000});
    REQUIRE(jobs.ok());
    return jobs->size();
  }

  kiln::testing::ScratchDirectory scratch;
  TrialFamily family;
  devices::SourceTree sources;
  EngineOptions options;
  std::shared_ptr<std::atomic<bool>> disk_full = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<LocalEngine> engine;
};

inline Behaviour behaviour_of(const KernelAnswer& answer) {
  return TrialFamily::behaviour(answer.config);
}

}  // namespace kiln::engine::testing
