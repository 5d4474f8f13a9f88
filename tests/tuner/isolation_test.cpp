// Variants that misbehave: each gets its verdict and costs nothing else.

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/tuner/tuning_fixture.h"

namespace kiln::tuner {

using namespace std::chrono_literals;

namespace {

// Processes whose parent is this one and whose name is `name`.
std::vector<pid_t> children(const std::string& name) {
  std::vector<pid_t> found;
  DIR* directory = opendir("/proc");
  while (const dirent* entry = readdir(directory)) {
    std::ifstream file(std::string("/proc/") + entry->d_name + "/stat");
    pid_t pid = 0, parent = 0;
    std::string command, state;
    if (file >> pid >> command >> state >> parent && parent == getpid() &&
        command == "(" + name + ")") {
      found.push_back(pid);
    }
  }
  closedir(directory);
  return found;
}

}  // namespace

TEST_CASE("a variant that misbehaves is rejected with its cause and the search goes on") {
  const Rejection cases[] = {
      {Behaviour::kWrong, Verdict::kWrong, "out[25000] = "},
      {Behaviour::kNan, Verdict::kNotFinite, "out[25000] is NaN"},
      {Behaviour::kUnwritten, Verdict::kNotFinite, "out[25000] was never written"},
      {Behaviour::kBefore, Verdict::kOutOfBounds, "before out"},
      {Behaviour::kAfter, Verdict::kOutOfBounds, "out"},
      {Behaviour::kInput, Verdict::kOutOfBounds, "of x"},
      {Behaviour::kSegfault, Verdict::kCrashed, "Segmentation fault at address 0x10"},
      {Behaviour::kAbort, Verdict::kCrashed, "Illegal instruction"},
      {Behaviour::kExit, Verdict::kCrashed, "exit code 0"},
      {Behaviour::kFork, Verdict::kCrashed, ""},
      {Behaviour::kPrint, Verdict::kCrashed, "the variant talks"},
      {Behaviour::kAllocate, Verdict::kCrashed, "Segmentation fault"},
      {Behaviour::kBroken, Verdict::kCompileFailed, "this variant does not compile"},
  };
  Tuning tuning(with_good_ones(cases));
  tuning.expect_rejections(cases);
}

TEST_CASE("a variant that is right only once is rejected") {
  Tuning tuning({Behaviour::kSlow, Behaviour::kFlaky});
  const auto outcome = tuning.tune(50'000);
  REQUIRE(outcome.ok());
  CHECK(TrialFamily::behaviour(outcome->winner.config) == Behaviour::kSlow);
  CHECK(tuning.ledger.of(Behaviour::kFlaky).verdict == Verdict::kWrong);
}

TEST_CASE("a variant that never ends is ended") {
  Tuning tuning({Behaviour::kFast, Behaviour::kLoop});
  const auto outcome = tuning.tune(50'000);
  REQUIRE(outcome.ok());
  CHECK(TrialFamily::behaviour(outcome->winner.config) == Behaviour::kFast);
  CHECK(tuning.ledger.of(Behaviour::kLoop).verdict == Verdict::kTimedOut);
}

TEST_CASE("a default that fails does not stop the others from winning") {
  Tuning tuning({Behaviour::kSegfault, Behaviour::kFast});
  const auto outcome = tuning.tune(50'000);
  REQUIRE(outcome.ok());
  CHECK(TrialFamily::behaviour(outcome->winner.config) == Behaviour::kFast);
  CHECK_FALSE(outcome->baseline);
}

TEST_CASE("a winner that is wrong on the second seed makes way for the next") {
  Tuning tuning({Behaviour::kSlow, Behaviour::kOverfitted});
  const auto outcome = tuning.tune(100'000);
  REQUIRE(outcome.ok());
  CHECK(TrialFamily::behaviour(outcome->winner.config) == Behaviour::kSlow);
  CHECK(tuning.ledger.of(Behaviour::kOverfitted).verdict == Verdict::kWrong);
}

TEST_CASE("when nothing works the commonest reason is told") {
  Tuning tuning({Behaviour::kWrong, Behaviour::kNan, Behaviour::kUnwritten});
  const auto outcome = tuning.tune(10'000);
  REQUIRE(outcome.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(outcome.status().message().find("not_finite") != std::string::npos);
}

TEST_CASE("a worker that is killed is started again") {
  Tuning tuning({Behaviour::kSlow, Behaviour::kFast, Behaviour::kSlower});
  const auto before = children("kiln-worker");
  REQUIRE(before.size() == 1);
  std::jthread killer([&](std::stop_token stop) {
    while (tuning.ledger.measurements().empty() && !stop.stop_requested()) {
      std::this_thread::sleep_for(1ms);
    }
    kill(before[0], SIGKILL);
  });
  const auto outcome = tuning.tune(300'000);
  killer.request_stop();
  killer.join();
  INFO(outcome.status());
  REQUIRE(outcome.ok());
  CHECK(TrialFamily::behaviour(outcome->winner.config) == Behaviour::kFast);
  const auto after = children("kiln-worker");
  REQUIRE(after.size() == 1);
  CHECK(after != before);
}

TEST_CASE("no process is left when a tuner ends") {
  {
    Tuning tuning({Behaviour::kFast});
  }
  CHECK(children("kiln-worker").empty());
}

}  // namespace kiln::tuner
