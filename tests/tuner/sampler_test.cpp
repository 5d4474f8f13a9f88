// The timing loop on a simulated clock.

#include "tuner/worker/sampler.h"

#include <catch2/catch.hpp>
#include <vector>

namespace kiln::tuner::worker {

namespace {

// Variants that take a fixed time on a machine of a given speed.
struct Simulation {
  std::vector<double> launch_ns;
  double speed = 1;  // of the machine; the probe gives as many FLOP/s
  int64_t now = 0;
  int64_t jitter = 0;     // alternates around the launch time
  int disturb_every = 0;  // launch, which takes ten times as long then; 0: never
  std::vector<int> launches = std::vector<int>(8, 0);

  StatusOr<Samples> run(Command command) {
    command.kind = Command::Kind::kTime;
    command.variants = int(launch_ns.size());
    Sampler sampler({.launch =
                         [&](int variant, int batch, bool warm) {
                           if (warm) launch(variant);
                           const int64_t start = now;
                           bool disturbed = false;
                           for (int i = 0; i < batch; ++i)
                             disturbed |= launch(variant);
                           return Sample{double(now - start) / batch, disturbed};
                         },
                     .probe =
                         [&](int64_t length_ns) {
                           now += length_ns;
                           return Sample{speed};
                         },
                     .clock = [&] { return now; }});
    return sampler.run(command);
  }

  // Whether it was disturbed.
  bool launch(int variant) {
    const int count = ++launches[size_t(variant)];
    const int64_t wave = count % 2 == 0 ? jitter : -jitter;
    const bool disturbed = disturb_every > 0 && count % disturb_every == 0;
    now += (disturbed ? 10 : 1) * int64_t((launch_ns[size_t(variant)] + double(wave)) / speed);
    return disturbed;
  }
};

Command command(int64_t budget_ns) {
  Command c;
  c.budget_ns = budget_ns;
  return c;
}

}  // namespace

TEST_CASE("a steady variant needs few samples") {
  Simulation machine{.launch_ns = {1e6}};
  const auto samples = machine.run(command(1'000'000'000));
  REQUIRE(samples.ok());
  CHECK(samples->launch_ns[0].size() == 8);
  CHECK(samples->probe.size() == 8);
  CHECK(samples->launch_ns[0][0] == 1e6);
  CHECK_FALSE(samples->dropped);
}

TEST_CASE("an unsteady variant is sampled until its budget ends") {
  Simulation machine{.launch_ns = {1e6}, .jitter = 200'000};
  const auto samples = machine.run(command(50'000'000));
  REQUIRE(samples.ok());
  CHECK(samples->launch_ns[0].size() > 20);
  CHECK(machine.now > 50'000'000);
  CHECK(machine.now < 60'000'000);
}

TEST_CASE("short launches are timed in batches") {
  Simulation machine{.launch_ns = {1000}};
  const auto samples = machine.run(command(1'000'000'000));
  REQUIRE(samples.ok());
  CHECK(samples->launch_ns[0][0] == Approx(1000));
  CHECK(machine.launches[0] >= 200 * 8);
}

TEST_CASE("a launch longer than the budget is sampled once") {
  Simulation machine{.launch_ns = {1e9}};
  const auto samples = machine.run(command(10'000'000));
  REQUIRE(samples.ok());
  CHECK(samples->launch_ns[0].size() == 1);
  CHECK(machine.launches[0] == 2);  // the first told how long it takes
}

TEST_CASE("who is clearly behind is dropped, sooner the further") {
  const auto rounds = [](double launch_ns, double speed) {
    Simulation machine{.launch_ns = {launch_ns}, .speed = speed, .jitter = 100'000};
    Command c = command(100'000'000);
    c.best_ns = 1e6;
    c.probe_reference = 1;
    const auto samples = machine.run(c);
    REQUIRE(samples.ok());
    return samples->dropped ? samples->launch_ns[0].size() : 0;
  };
  CHECK(rounds(5e6, 1) == 2);
  CHECK(rounds(2e6, 1) == 3);
  CHECK(rounds(1.4e6, 1) == 8);
  CHECK(rounds(1.1e6, 1) == 0);
  // Twice as slow on a machine that is half as fast: not behind.
  CHECK(rounds(1e6, 0.5) == 0);
}

TEST_CASE("a comparison ends when the fastest is beyond doubt") {
  Simulation close{.launch_ns = {1e6, 1.01e6}, .jitter = 100'000};
  Simulation apart{.launch_ns = {1e6, 2e6}, .jitter = 100'000};
  const auto undecided = close.run(command(1'000'000'000));
  const auto decided = apart.run(command(1'000'000'000));
  REQUIRE(undecided.ok());
  REQUIRE(decided.ok());
  CHECK(decided->launch_ns[0].size() < undecided->launch_ns[0].size());
  CHECK(decided->launch_ns[0].size() >= 24);
  CHECK(decided->launch_ns[1].size() == decided->probe.size());
}

TEST_CASE("disturbed samples are left out where there are enough others") {
  Simulation machine{.launch_ns = {1e6}, .disturb_every = 2};
  const auto samples = machine.run(command(1'000'000'000));
  REQUIRE(samples.ok());
  CHECK(samples->launch_ns[0].size() >= 8);
  for (const double ns : samples->launch_ns[0])
    CHECK(ns == 1e6);

  Simulation crowded{.launch_ns = {1e6}, .disturb_every = 1};
  const auto few = crowded.run(command(100'000'000));
  REQUIRE(few.ok());
  CHECK(few->launch_ns[0].size() > 3);
  CHECK(few->launch_ns[0][0] == 1e7);
  CHECK(crowded.now < 4 * 100'000'000);
}

TEST_CASE("warm timing launches once untimed before every sample") {
  Simulation machine{.launch_ns = {1e6}};
  Command c = command(1'000'000'000);
  c.warm = 1;
  REQUIRE(machine.run(c).ok());
  CHECK(machine.launches[0] == 2 + 2 * 8);
}

}  // namespace kiln::tuner::worker
