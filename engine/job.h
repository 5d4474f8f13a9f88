// The parts of Jobs: a job and a lane. Their members are guarded by the mutex of Jobs, save those
// that never change.

#pragma once

#include <algorithm>
#include <chrono>
#include <stop_token>
#include <string>

#include "engine/catalogue.h"
#include "engine/jobs.h"

namespace kiln::engine {

// Never before `earlier`, a moment that was noted: clocks are set back.
inline int64_t unix_now_ns(int64_t earlier = 0) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::max<int64_t>(earlier, std::chrono::nanoseconds(now).count());
}

inline bool is_final(db::JobState state) {
  return state != db::JobState::kQueued && state != db::JobState::kRunning;
}

// A queue of one device, served by its thread.
struct Jobs::Lane {
  const ServedDevice* device = nullptr;
  bool background = false;
  std::deque<JobPointer> queue;
  std::jthread thread;
};

struct Jobs::Job {
  Job(db::JobRow row_, Problem problem_, const ServedDevice& device_, JobOptions options_)
      : problem(std::move(problem_)),
        device(&device_),
        key(key_of(device_, problem)),
        row(std::move(row_)),
        options(std::move(options_)) {}

  static std::string key_of(const ServedDevice& device, const Problem& problem);

  const Problem problem;
  const ServedDevice* const device;
  const std::string key;  // one active job each

  db::JobRow row;
  JobOptions options;
  tuner::Progress progress;
  std::stop_source stop;  // of the present run
  bool cancelled = false;
};

}  // namespace kiln::engine
