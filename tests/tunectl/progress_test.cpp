#include "client/tunectl/progress.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_split.h"
#include "client/tunectl/text.h"
#include "tests/tunectl/capture.h"

namespace kiln::tunectl {
namespace {

v1::Job searching(int elapsed, int remaining) {
  v1::Job job;
  job.set_state(v1::Job::STATE_RUNNING);
  v1::Progress& progress = *job.mutable_progress();
  progress.set_phase(v1::Progress::PHASE_SEARCHING);
  progress.set_space_size(1280);
  progress.set_measured(37);
  auto* rejected = progress.add_rejected();
  rejected->set_verdict(v1::VERDICT_WRONG);
  rejected->set_count(2);
  progress.set_default_ns(2.0e6);
  progress.set_best_ns(1.25e6);
  progress.mutable_elapsed()->set_seconds(elapsed);
  progress.mutable_remaining()->set_seconds(remaining);
  return job;
}

class FakeClock {
 public:
  void advance(absl::Duration by) { now_ += by; }
  ProgressPrinter::Clock clock() {
    return [this] { return now_; };
  }

 private:
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
};

int lines_in(const std::string& text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("The progress line tells phase, part done, time left, best, gain and counts") {
  CHECK(progress_line(searching(5, 15), 0) ==
        "searching  15 s left  best 1.25 ms (1.60× the default)  37 measured of 1,280, 2 rejected");
  CHECK(progress_line(searching(5, 15), 140) ==
        "searching  ▕█████···············▏ 25 %  15 s left  best 1.25 ms (1.60× the default)  "
        "37 measured of 1,280, 2 rejected");
}

TEST_CASE("The progress line fits every terminal") {
  for (int columns = 1; columns < 150; ++columns) {
    const std::string line = progress_line(searching(5, 15), columns);
    CAPTURE(columns, line);
    CHECK(display_width(line) <= std::max(columns - 1, 0));
  }
}

TEST_CASE("A job that waits says so") {
  v1::Job job;
  job.set_state(v1::Job::STATE_QUEUED);
  CHECK(progress_line(job, 80) == "waiting in the queue");
  job = searching(1, 1);
  job.mutable_progress()->set_waiting_for_idle(true);
  CHECK(progress_line(job, 0).substr(0, 27) == "waiting for an idle machine");
}

TEST_CASE("Without an estimate the time spent is shown, and no bar") {
  v1::Job job = searching(5, 0);
  job.mutable_progress()->clear_remaining();
  job.mutable_progress()->clear_best_ns();
  CHECK(progress_line(job, 120) == "searching  5 s  37 measured of 1,280, 2 rejected");
}

TEST_CASE("A terminal redraws one line and leaves nothing behind") {
  Capture smart({.redraws = true, .columns = 80});
  FakeClock time;
  ProgressPrinter progress(smart.terminal(), time.clock());
  for (int i = 0; i < 20; ++i)
    progress.update(searching(i, 20 - i));
  CHECK(lines_in(smart.text()) == 0);
  CHECK(smart.text().find('\r') != std::string::npos);
  progress.finish();
  CHECK(smart.text().substr(smart.text().size() - 4) == "\r\x1b[K");
}

TEST_CASE("A pipe gets a line every few seconds and at every new phase, without escapes") {
  Capture pipe;
  FakeClock time;
  ProgressPrinter progress(pipe.terminal(), time.clock());
  for (int i = 0; i < 200; ++i) {  // 20 s at ten updates a second
    progress.update(searching(i / 10, 20 - i / 10));
    time.advance(absl::Milliseconds(100));
  }
  CHECK(lines_in(pipe.text()) == 4);
  v1::Job job = searching(20, 0);
  job.mutable_progress()->set_phase(v1::Progress::PHASE_REMATCH);
  progress.update(job);
  CHECK(lines_in(pipe.text()) == 5);
  progress.finish();
  CHECK(lines_in(pipe.text()) == 5);
  CHECK(pipe.text().find('\r') == std::string::npos);
  CHECK(pipe.text().find('\x1b') == std::string::npos);
}

TEST_CASE("A clock that is set back or ahead does not silence the lines") {
  for (const absl::Duration jump : {-absl::Hours(24), absl::Hours(24)}) {
    Capture pipe;
    FakeClock time;
    ProgressPrinter progress(pipe.terminal(), time.clock());
    progress.update(searching(1, 20));
    time.advance(jump);
    for (int i = 0; i < 100; ++i) {  // 10 s
      progress.update(searching(1, 20));
      time.advance(absl::Milliseconds(100));
    }
    CHECK(lines_in(pipe.text()) == 3);
  }
}

}  // namespace kiln::tunectl
