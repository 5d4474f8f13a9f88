#include "server/call_threads.h"

#include <system_error>
#include <thread>
#include <utility>

namespace kiln::server {

CallThreads::~CallThreads() {
  std::unique_lock lock(mutex_);
  all_ended_.wait(lock, [this] { return running_ == 0; });
}

bool CallThreads::start(std::function<void()> call) {
  {
    std::lock_guard lock(mutex_);
    if (running_ >= most_) return false;
    ++running_;
  }
  try {
    std::thread([this, call = std::move(call)]() mutable {
      std::exchange(call, {})();
      ended();
    }).detach();
  } catch (const std::system_error&) {
    ended();
    return false;
  }
  return true;
}

void CallThreads::ended() {
  std::lock_guard lock(mutex_);
  if (--running_ == 0) all_ended_.notify_all();
}

}  // namespace kiln::server
