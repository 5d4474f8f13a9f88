// Threads for calls that may block, one each, so that those that answer at once never wait for
// them.
//
// Thread-safe.

#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

namespace kiln::server {

class CallThreads {
 public:
  explicit CallThreads(int most) : most_(most) {}
  ~CallThreads();  // waits for all
  CallThreads(const CallThreads&) = delete;
  CallThreads& operator=(const CallThreads&) = delete;

  // False when as many run as may, or the system has no thread to give; then `call` is not run.
  bool start(std::function<void()> call);

 private:
  void ended();

  const int most_;
  std::mutex mutex_;
  std::condition_variable all_ended_;
  int running_ = 0;
};

}  // namespace kiln::server
