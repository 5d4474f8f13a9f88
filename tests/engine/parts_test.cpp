#include <atomic>
#include <catch2/catch.hpp>
#include <limits>
#include <thread>
#include <vector>

#include "engine/answer_cache.h"
#include "engine/catalogue.h"
#include "engine/flights.h"
#include "engine/footprint.h"
#include "engine/job_options.h"
#include "tests/support/trial_family.h"

namespace kiln::engine {
namespace {

using kiln::testing::Behaviour;
using kiln::testing::TrialFamily;

TEST_CASE("buffers are summed with every worker's share, and overflow is an error") {
  const TrialFamily family({Behaviour::kFast});
  const Problem problem = family.problem(1000);
  Plan plan = family.plan(problem, TrialFamily::config(Behaviour::kFast), Target{});
  CHECK(*buffer_bytes(plan, problem, 4) == 4 * 4000);
  plan.buffers[0].kind = Buffer::Kind::kPerWorker;
  CHECK(*buffer_bytes(plan, problem, 4) == 3 * 4000 + 4 * 4000);
  plan.buffers[0].shape = {"n * 1000000000000", "n * 1000000"};
  CHECK(absl::IsOutOfRange(buffer_bytes(plan, problem, 1).status()));
  plan.buffers[0].shape = {"0 - n"};
  CHECK(absl::IsOutOfRange(buffer_bytes(plan, problem, 1).status()));
  const Status memory = check_memory(plan, problem, Target{});
  CHECK(absl::IsResourceExhausted(memory));
  CHECK(field_violation(memory)->field == "n");

  CHECK(covers(plan, problem));
  plan.symbols[0].maximum = 999;
  CHECK_FALSE(covers(plan, problem));
}

TEST_CASE("a target that a family has no kernels for is an error before its space is asked for") {
  class HostOnly final : public TrialFamily {
   public:
    HostOnly() : TrialFamily({Behaviour::kFast}) {}
    Status supports(const Target& target) const override {
      return target.is_gpu() ? absl::FailedPreconditionError("host only") : absl::OkStatus();
    }
    Space space(const Problem& problem, const Target& target) const override {
      REQUIRE_FALSE(target.is_gpu());
      return TrialFamily::space(problem, target);
    }
  };
  const HostOnly family;
  const Catalogue catalogue({&family}, {});
  const Problem problem = family.problem(10);
  Target target;
  target.kind = "host";
  CHECK(catalogue.space_of(problem, target).ok());
  target.kind = "cuda";
  CHECK(absl::IsFailedPrecondition(catalogue.space_of(problem, target).status()));
}

TEST_CASE("work under way is joined, finished work is done again") {
  Flights<int> flights;
  std::atomic<int> runs = 0;
  std::atomic<int> arrived = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      ++arrived;
      const int result = flights.run("key", [&] {
        while (arrived < 8)
          std::this_thread::yield();
        // The others are at the door; the last of them gets here or joins.
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return ++runs;
      });
      CHECK(result >= 1);
    });
  }
  threads.clear();
  CHECK(runs <= 2);
  const int before = runs;
  CHECK(flights.run("key", [&] { return ++runs; }) == before + 1);
}

TEST_CASE("options of a job read back as they were") {
  JobOptions options;
  options.tune.budget.time = std::chrono::milliseconds(1500);
  options.tune.budget.evaluations = 12;
  options.tune.budget.peak_fraction = 0.9;
  options.tune.strategy = "random";
  options.tune.seed = std::numeric_limits<uint64_t>::max();
  options.tune.cache = CachePolicy::kWarm;
  options.force = true;
  const auto read = job_options_from_json(to_json(options));
  REQUIRE(read.ok());
  CHECK(read->tune.budget.time == options.tune.budget.time);
  CHECK(read->tune.budget.evaluations == 12);
  CHECK(read->tune.budget.peak_fraction == 0.9);
  CHECK(read->tune.strategy == "random");
  CHECK(read->tune.seed == options.tune.seed);
  CHECK(read->tune.cache == CachePolicy::kWarm);
  CHECK(read->force);
  CHECK_FALSE(read->automatic);
  for (const char* text : {"", "{}", "[]", "{\"strategy\": 3}", "\xff"}) {
    CHECK(absl::IsDataLoss(job_options_from_json(text).status()));
  }
}

TEST_CASE("a problem reads back from its row, or says why not") {
  const TrialFamily family({Behaviour::kFast});
  const Catalogue catalogue({&family}, {});
  const Problem problem = family.problem(1000, 0.1, 7);
  db::ProblemRef reference = reference_to(problem);
  CHECK(reference.text == "n=1000 scale=0.1 tag=7");
  CHECK(*catalogue.problem_of(reference) == problem);
  for (const char* text : {"n", "n=", "n=1000 m=3", "n=0", "n=1000 tag=13"}) {
    reference.text = text;
    CHECK(absl::IsInvalidArgument(catalogue.problem_of(reference).status()));
  }
  reference.family = "gone";
  CHECK(absl::IsNotFound(catalogue.problem_of(reference).status()));
}

TEST_CASE("the cache of answers keeps entries apart and starts afresh when it is full") {
  AnswerCache cache(3);
  for (int n = 1; n <= 3; ++n) {
    cache.update("key" + std::to_string(n), [&](Known& known) { known.job_id = n; });
  }
  CHECK(cache.find("key2")->job_id == 2);
  CHECK(cache.find("other") == nullptr);
  cache.update_all([](Known& known) { known.job_tried = true; });
  CHECK(cache.find("key1")->job_tried);
  const auto held = cache.find("key1");
  cache.update("key1", [](Known& known) { known.job_id = 10; });
  CHECK(held->job_id == 1);  // a reader keeps what it saw
  CHECK(cache.find("key1")->job_id == 10);
  cache.update("key4", [](Known& known) { known.job_id = 4; });
  CHECK(cache.find("key4")->job_id == 4);
  CHECK(cache.find("key1") == nullptr);
}

}  // namespace
}  // namespace kiln::engine
