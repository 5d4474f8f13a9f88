#include "server/waiting_calls.h"

#include <chrono>

namespace kiln::server {
namespace {

// How long a call whose client vanished may keep its thread.
constexpr std::chrono::milliseconds kPollInterval{100};

}  // namespace

WaitingCalls::WaitingCalls(size_t limit)
    : limit_(limit), keeper_([this](std::stop_token ended) { look_after(ended); }) {}

WaitingCalls::~WaitingCalls() {
  stop();
}

WaitingCalls::Seat::~Seat() {
  if (calls_ == nullptr) return;
  std::lock_guard lock(calls_->mutex_);
  calls_->calls_.erase(at_);
}

std::optional<WaitingCalls::Seat> WaitingCalls::enter(const grpc::ServerContextBase& context) {
  std::lock_guard lock(mutex_);
  if (calls_.size() >= limit_) return std::nullopt;
  calls_.push_back({&context, {}});
  if (stopped_) calls_.back().stop.request_stop();
  changed_.notify_all();
  return Seat(*this, std::prev(calls_.end()));
}

void WaitingCalls::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  for (Call& call : calls_)
    call.stop.request_stop();
}

void WaitingCalls::look_after(std::stop_token ended) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, ended, [this] { return !calls_.empty(); }) &&
         !ended.stop_requested()) {
    for (Call& call : calls_) {
      if (call.context->IsCancelled()) call.stop.request_stop();
    }
    changed_.wait_for(lock, ended, kPollInterval, [] { return false; });
  }
}

}  // namespace kiln::server
