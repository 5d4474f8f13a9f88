#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "core/random.h"
#include "tests/db/damaged_store.h"

namespace kiln::db::testing {
namespace {

// What a writer tells its parent after each write that was acknowledged.
struct Acknowledged {
  char kind;  // m: measurement, w: winner, j: job, a: artifact
  int number;
  int64_t id;
};

[[noreturn]] void write_until_killed(const std::string& directory, int pipe, int first) {
  auto store = open_sqlite({directory});
  if (!store.ok()) ::_exit(1);
  for (int n = first;; ++n) {
    const auto tell = [&](char kind, const auto& id) {
      if (!id.ok()) ::_exit(2);
      const Acknowledged message{kind, n, *id};
      if (::write(pipe, &message, sizeof message) != sizeof message) ::_exit(3);
    };
    tell('a', [&]() -> StatusOr<int64_t> {
      KILN_RETURN_IF_ERROR((*store)->put_artifact(sample_artifact(n)));
      return 0;
    }());
    tell('m', (*store)->add_measurement(sample_measurement_row(n)));
    if (n % 4 == 0) tell('w', (*store)->put_winner(sample_winner(n)));
    if (n % 4 == 1) {
      const auto job = (*store)->create_job(sample_job(n, "request " + std::to_string(n)));
      tell('j', job.ok() ? StatusOr<int64_t>(job->id) : job.status());
    }
    if (n % 50 == 49) (*store)->gc({.artifact_bytes = 1 << 20}).IgnoreError();
  }
}

void check_kept(Store& store, const Acknowledged& message) {
  INFO("kind " << message.kind << ", number " << message.number << ", id " << message.id);
  switch (message.kind) {
    case 'w':
      CHECK(store.winner(message.id).ok());
      break;
    case 'j':
      CHECK(store.job(message.id).ok());
      break;
    case 'a':
      CHECK(store.artifact(sample_artifact(message.number).hash)->has_value());
      break;
    default: {
      const auto rows = store.measurements(sample_problem(1), kDevice, {message.id - 1, 1});
      REQUIRE(rows.ok());
      REQUIRE(rows->size() == 1);
      CHECK(rows->front().id == message.id);
    }
  }
}

TEST_CASE("a writer killed at any moment loses nothing that was acknowledged") {
  const kiln::testing::ScratchDirectory scratch;
  const auto seed = uint64_t(std::chrono::steady_clock::now().time_since_epoch().count());
  INFO("seed " << seed);
  int next = 0;
  for (uint64_t round = 0; round < 12; ++round) {
    INFO("round " << round);
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(ends[0]);
      write_until_killed(scratch.path(), ends[1], next);
    }
    ::close(ends[1]);
    std::vector<Acknowledged> messages;
    Acknowledged message;
    // Some writes in any case, then a moment more.
    const size_t wanted = 1 + random_below(seed, 2 * round, 40);
    while (messages.size() < wanted && ::read(ends[0], &message, sizeof message) > 0) {
      messages.push_back(message);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random_below(seed, 2 * round + 1, 4000)));
    ::kill(child, SIGKILL);
    while (::read(ends[0], &message, sizeof message) > 0)
      messages.push_back(message);
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    auto store = open_sqlite({scratch.path()});
    INFO(store.status());
    REQUIRE(store.ok());
    CHECK((*store)->health().quarantined.empty());
    for (const Acknowledged& m : messages) {
      check_kept(**store, m);
      next = std::max(next, m.number + 1);
    }
    CHECK((*store)->health().damaged_rows == 0);
    REQUIRE((*store)->gc({}).ok());
    CHECK((*store)->gc({})->orphans_removed == 0);
  }
}

}  // namespace
}  // namespace kiln::db::testing
