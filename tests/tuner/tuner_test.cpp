// Tuning from end to end with well-behaved variants: who wins, what is recorded, when it ends.

#include <thread>

#include "tests/tuner/tuning_fixture.h"

namespace kiln::tuner {

using namespace std::chrono_literals;

TEST_CASE("the fast variant wins against the slow default") {
  Tuning tuning({Behaviour::kSlow, Behaviour::kFast, Behaviour::kSlower});
  const auto outcome = tuning.tune(200'003);
  INFO(outcome.status());
  REQUIRE(outcome.ok());
  CHECK(TrialFamily::behaviour(outcome->winner.config) == Behaviour::kFast);
  CHECK(outcome->winner.verdict == Verdict::kOk);
  CHECK(outcome->winner.verification.seeds == 2);
  CHECK(outcome->winner.verification.units == 2 * 201);
  CHECK(outcome->winner.verification.units_total == 2 * 201);
  CHECK(outcome->winner.verification.worst_error <= 1);
  CHECK(outcome->winner.timing.samples > 0);
  CHECK(outcome->winner.timing.median_low_ns <= outcome->winner.timing.median_ns);
  CHECK(outcome->winner.timing.median_high_ns >= outcome->winner.timing.median_ns);
  CHECK(outcome->winner.timing.peak_fraction > 0);
  CHECK(outcome->winner.artifact_hash == outcome->artifact.hash);
  CHECK(outcome->space_size == 3);
  CHECK(outcome->evaluations == 3);
  CHECK(outcome->converged);
  REQUIRE(outcome->baseline);
  CHECK(TrialFamily::behaviour(outcome->baseline->config) == Behaviour::kSlow);
  CHECK(outcome->winner.timing.median_ns < outcome->baseline->timing.median_ns);
}

TEST_CASE("every variant is recorded once and in order, the default first") {
  Tuning tuning({Behaviour::kSlow, Behaviour::kFast, Behaviour::kSlower, Behaviour::kWrong});
  REQUIRE(tuning.tune(50'000).ok());
  const auto all = tuning.ledger.measurements();
  REQUIRE(all.size() == 4);
  CHECK(TrialFamily::behaviour(all[0].config) == Behaviour::kSlow);
  for (const Measurement& m : all) {
    CHECK(!m.code_identity.empty());
    CHECK(m.unix_ns > 0);
    CHECK(m.compile_ms > 0);
    CHECK(m.cache == CachePolicy::kWarm);
  }
}

TEST_CASE("clearly slower variants are dropped early") {
  Tuning tuning({Behaviour::kFast, Behaviour::kSlower});
  REQUIRE(tuning.tune(400'000).ok());
  CHECK(tuning.ledger.of(Behaviour::kSlower).verdict == Verdict::kDroppedEarly);
  CHECK(tuning.ledger.of(Behaviour::kSlower).timing.samples > 0);
  CHECK(tuning.ledger.of(Behaviour::kFast).verdict == Verdict::kOk);
}

TEST_CASE("the default wins when nothing beats it") {
  Tuning tuning({Behaviour::kFast, Behaviour::kSlow, Behaviour::kSlower});
  const auto outcome = tuning.tune(100'000);
  REQUIRE(outcome.ok());
  CHECK(TrialFamily::behaviour(outcome->winner.config) == Behaviour::kFast);
  REQUIRE(outcome->baseline);
  CHECK(outcome->winner.timing.median_ns == outcome->baseline->timing.median_ns);
}

TEST_CASE("what is known is not measured again") {
  Tuning tuning({Behaviour::kSlow, Behaviour::kFast, Behaviour::kSlower, Behaviour::kWrong});
  REQUIRE(tuning.tune(100'000).ok());
  const auto known = tuning.ledger.measurements();
  REQUIRE(known.size() == 4);
  TuneOptions options = Tuning::warm();
  options.known = known;
  const auto outcome = tuning.tune(100'000, options);
  INFO(outcome.status());
  REQUIRE(outcome.ok());
  CHECK(outcome->evaluations == 0);
  CHECK(tuning.ledger.measurements().size() == 4);
  CHECK(TrialFamily::behaviour(outcome->winner.config) == Behaviour::kFast);
  CHECK(outcome->winner.verification.seeds == 2);
  CHECK(!outcome->artifact.bytes.empty());
}

TEST_CASE("measurements under another cache policy do not count as known") {
  Tuning tuning({Behaviour::kSlow, Behaviour::kFast});
  REQUIRE(tuning.tune(100'000).ok());
  TuneOptions options;
  options.known = tuning.ledger.measurements();
  const auto outcome = tuning.tune(100'000, options);
  REQUIRE(outcome.ok());
  CHECK(outcome->evaluations == 2);
}

TEST_CASE("a budget of evaluations is kept") {
  Tuning tuning({Behaviour::kSlow, Behaviour::kSlower, Behaviour::kFast, Behaviour::kWrong});
  TuneOptions options = Tuning::warm();
  options.budget.evaluations = 2;
  options.first = {TrialFamily::config(Behaviour::kFast)};
  const auto outcome = tuning.tune(100'000, options);
  REQUIRE(outcome.ok());
  CHECK(outcome->evaluations == 2);
  CHECK_FALSE(outcome->converged);
  CHECK(TrialFamily::behaviour(outcome->winner.config) == Behaviour::kFast);
}

TEST_CASE("the smallest budget of time still gives the default") {
  Tuning tuning({Behaviour::kSlow, Behaviour::kFast});
  TuneOptions options = Tuning::warm();
  options.budget.time = 1ms;
  const auto outcome = tuning.tune(100'000, options);
  REQUIRE(outcome.ok());
  CHECK(outcome->evaluations == 1);
  CHECK(TrialFamily::behaviour(outcome->winner.config) == Behaviour::kSlow);
}

TEST_CASE("a part of the peak ends the search") {
  Tuning tuning({Behaviour::kFast, Behaviour::kSlow, Behaviour::kSlower, Behaviour::kWrong});
  TuneOptions options = Tuning::warm();
  options.budget.peak_fraction = 1e-6;
  const auto outcome = tuning.tune(100'000, options);
  REQUIRE(outcome.ok());
  CHECK(outcome->evaluations < 4);
}

TEST_CASE("progress goes from phase to phase and ends with the winner") {
  Tuning tuning({Behaviour::kSlow, Behaviour::kFast});
  const auto outcome = tuning.tune(100'000);
  REQUIRE(outcome.ok());
  REQUIRE(tuning.progress.size() >= 5);
  for (size_t i = 1; i < tuning.progress.size(); ++i) {
    CHECK(tuning.progress[i - 1].phase <= tuning.progress[i].phase);
    CHECK(tuning.progress[i - 1].measured <= tuning.progress[i].measured);
  }
  const Progress& last = tuning.progress.back();
  CHECK(last.phase == Progress::Phase::kDone);
  CHECK(last.space_size == 2);
  CHECK(last.measured == 2);
  CHECK(last.best_config == "behaviour=fast");
  CHECK(last.best_ns < last.default_ns);
}

TEST_CASE("a stop ends the tuning soon and keeps what was measured") {
  Tuning tuning({Behaviour::kSlow, Behaviour::kFast, Behaviour::kLoop});
  std::stop_source stop;
  std::chrono::steady_clock::time_point stopped;
  // The loop would hold the device for its whole time limit.
  std::jthread stopper([&] {
    while (tuning.ledger.measurements().size() < 2)
      std::this_thread::sleep_for(10ms);
    std::this_thread::sleep_for(300ms);
    stopped = std::chrono::steady_clock::now();
    stop.request_stop();
  });
  const auto outcome = tuning.tune(100'000, Tuning::warm(), stop.get_token());
  stopper.join();
  CHECK(absl::IsCancelled(outcome.status()));
  CHECK(std::chrono::steady_clock::now() - stopped < 3s);
  CHECK(tuning.ledger.measurements().size() == 2);
  CHECK(tuning.tuner
            ->check(tuning.family, tuning.family.problem(1000),
                    TrialFamily::config(Behaviour::kFast), {})
            .ok());
}

TEST_CASE("a problem beyond the device's memory is refused before anything is allocated") {
  Tuning tuning({Behaviour::kFast});
  const auto outcome = tuning.tune(int64_t(1) << 39);
  CHECK(absl::IsResourceExhausted(outcome.status()));
}

TEST_CASE("a check compiles, verifies on the probe and gives the plan") {
  Tuning tuning({Behaviour::kFast, Behaviour::kWrong});
  const Problem problem = tuning.family.problem(50'000'000);
  const auto checked =
      tuning.tuner->check(tuning.family, problem, TrialFamily::config(Behaviour::kFast), {});
  INFO(checked.status());
  REQUIRE(checked.ok());
  CHECK(checked->measurement.verdict == Verdict::kOk);
  CHECK(checked->measurement.verification.units == 11);
  CHECK(checked->measurement.verification.problem.find("n=10001") != std::string::npos);
  CHECK(checked->artifact.hash == checked->measurement.artifact_hash);
  CHECK(checked->plan == tuning.family.plan(problem, TrialFamily::config(Behaviour::kFast),
                                            tuning.device->target()));

  const auto wrong =
      tuning.tuner->check(tuning.family, problem, TrialFamily::config(Behaviour::kWrong), {});
  CHECK(wrong.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(absl::IsInvalidArgument(
      tuning.tuner->check(tuning.family, problem, TrialFamily::config(Behaviour::kSlow), {})
          .status()));
}

TEST_CASE("a check goes between the measurements of a tuning") {
  Tuning tuning({Behaviour::kSlow, Behaviour::kFast, Behaviour::kSlower, Behaviour::kLoop});
  std::stop_source stop;
  std::jthread background(
      [&] { tuning.tune(3'000'000, Tuning::warm(), stop.get_token()).IgnoreError(); });
  while (tuning.ledger.measurements().empty())
    std::this_thread::sleep_for(5ms);
  const auto checked = tuning.tuner->check(tuning.family, tuning.family.problem(1000),
                                           TrialFamily::config(Behaviour::kFast), {});
  CHECK(checked.ok());
  CHECK(tuning.ledger.measurements().size() < 4);
  stop.request_stop();
}

TEST_CASE("background tuning waits while others keep the machine busy") {
  TunerOptions options;
  options.idle_load = -1;  // never idle enough
  Tuning tuning({Behaviour::kSlow, Behaviour::kFast}, options);
  TuneOptions background = Tuning::warm();
  background.priority = Priority::kBackground;
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(2500ms);
    stop.request_stop();
  });
  CHECK(absl::IsCancelled(tuning.tune(10'000, background, stop.get_token()).status()));
  CHECK(tuning.ledger.measurements().empty());
  CHECK(tuning.progress.back().waiting_for_idle);
}

TEST_CASE("background tuning works when the machine is idle enough") {
  TunerOptions options;
  options.idle_load = 1;
  Tuning tuning({Behaviour::kSlow, Behaviour::kFast}, options);
  TuneOptions background = Tuning::warm();
  background.priority = Priority::kBackground;
  const auto outcome = tuning.tune(10'000, background);
  INFO(outcome.status());
  REQUIRE(outcome.ok());
  CHECK(TrialFamily::behaviour(outcome->winner.config) == Behaviour::kFast);
}

TEST_CASE("the machine's peaks are the best of all probes") {
  Tuning tuning({Behaviour::kFast});
  CHECK_FALSE(tuning.tuner->peaks().has_value());
  Tuner::Peaks before{.f32_flops = 1e8, .read_bytes = 1e8, .copy_bytes = 1e8};
  for (int probe = 0; probe < 3; ++probe) {
    const Status measured = tuning.tuner->measure_peaks();
    INFO(measured);
    REQUIRE(measured.ok());
    const auto peaks = tuning.tuner->peaks();
    REQUIRE(peaks.has_value());
    CHECK(peaks->f32_flops >= before.f32_flops);
    CHECK(peaks->bf16_flops >= before.bf16_flops);
    CHECK(peaks->read_bytes >= before.read_bytes);
    CHECK(peaks->copy_bytes >= before.copy_bytes);
    before = *peaks;
  }
}

TEST_CASE("a missing worker is said to be missing") {
  Tuning tuning({Behaviour::kFast});
  const auto tuner = Tuner::start(*tuning.device, {.worker_path = "/nonexistent/kiln-worker"});
  CHECK(absl::IsUnavailable(tuner.status()));
  CHECK(tuner.status().message().find("/nonexistent/kiln-worker") != std::string::npos);
  CHECK(absl::IsUnavailable(Tuner::start(*tuning.device, {.worker_path = "/bin/true"}).status()));
}

}  // namespace kiln::tuner
