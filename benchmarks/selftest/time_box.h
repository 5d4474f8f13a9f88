// An end in time for what takes a stop token.

#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

namespace kiln::selftest {

class TimeBox {
 public:
  using Clock = std::chrono::steady_clock;

  explicit TimeBox(Clock::time_point end)
      : end_(end), timer_([this](const std::stop_token& stop) {
          std::mutex mutex;
          std::unique_lock lock(mutex);
          over_.wait_until(lock, stop, end_, [] { return false; });
          if (!stop.stop_requested()) source_.request_stop();
        }) {}

  bool is_over() const { return source_.stop_requested(); }
  std::stop_token token() const { return source_.get_token(); }
  std::chrono::milliseconds left() const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now());
    return std::max(left, std::chrono::milliseconds(0));
  }

 private:
  const Clock::time_point end_;
  std::stop_source source_;
  std::condition_variable_any over_;
  std::jthread timer_;  // last: uses the others
};

}  // namespace kiln::selftest
