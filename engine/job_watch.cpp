#include "engine/job_watch.h"

#include <algorithm>
#include <atomic>
#include <vector>

namespace kiln::engine {
namespace {

constexpr std::chrono::milliseconds kShortestInterval{100};

using Clock = std::chrono::steady_clock;

}  // namespace

struct JobWatch::Subscription {
  int64_t job_id = 0;
  Observer observer;
  std::mutex calling;  // held during a call
  std::atomic<bool> ended = false;
  // Guarded by State::mutex.
  std::optional<JobView> pending;
  bool last = false;
  Clock::time_point not_before{};
};

struct JobWatch::State {
  mutable std::mutex mutex;
  std::condition_variable_any changed;
  std::vector<std::shared_ptr<Subscription>> subscriptions;
  uint64_t changes = 0;
  std::thread::id thread;
};

JobWatch::JobWatch() : state_(std::make_shared<State>()) {
  thread_ = std::jthread([state = state_](const std::stop_token& stop) { deliver(state, stop); });
  std::lock_guard lock(state_->mutex);
  state_->thread = thread_.get_id();
}

JobWatch::~JobWatch() = default;

std::shared_ptr<void> JobWatch::add(const JobView& now, bool last, Observer observer) {
  auto subscription = std::make_shared<Subscription>();
  subscription->job_id = now.row.id;
  subscription->observer = std::move(observer);
  subscription->pending = now;
  subscription->last = last;
  {
    std::lock_guard lock(state_->mutex);
    state_->subscriptions.push_back(subscription);
    ++state_->changes;
  }
  state_->changed.notify_all();
  // The deleter ends the subscription; the pointer itself is only a handle.
  return std::shared_ptr<void>(subscription.get(), [state = state_, subscription](void*) {
    subscription->ended = true;
    bool from_within = false;
    {
      std::lock_guard lock(state->mutex);
      std::erase(state->subscriptions, subscription);
      from_within = std::this_thread::get_id() == state->thread;
    }
    if (!from_within) std::lock_guard under_way(subscription->calling);
  });
}

bool JobWatch::watched(int64_t job_id) const {
  std::lock_guard lock(state_->mutex);
  return std::any_of(state_->subscriptions.begin(), state_->subscriptions.end(),
                     [&](const auto& s) { return s->job_id == job_id; });
}

void JobWatch::publish(const JobView& view, bool last) {
  {
    std::lock_guard lock(state_->mutex);
    for (const auto& subscription : state_->subscriptions) {
      if (subscription->job_id != view.row.id || subscription->last) continue;
      subscription->pending = view;
      subscription->last = last;
      ++state_->changes;
    }
  }
  state_->changed.notify_all();
}

void JobWatch::deliver(const std::shared_ptr<State>& state, const std::stop_token& stop) {
  std::unique_lock lock(state->mutex);
  while (!stop.stop_requested()) {
    const Clock::time_point now = Clock::now();
    std::shared_ptr<Subscription> due;
    auto next = Clock::time_point::max();
    for (const auto& subscription : state->subscriptions) {
      if (!subscription->pending) continue;
      // The end is told at once.
      const auto at = subscription->last ? now : std::max(now, subscription->not_before);
      if (at <= now) due = subscription;
      next = std::min(next, at);
    }
    if (due == nullptr) {
      const auto something_new = [&, seen = state->changes] { return state->changes != seen; };
      if (next == Clock::time_point::max()) {
        state->changed.wait(lock, stop, something_new);
      } else {
        state->changed.wait_until(lock, stop, next, something_new);
      }
      continue;
    }
    const JobView view = *std::move(due->pending);
    const bool last = due->last;
    due->pending.reset();
    due->not_before = now + kShortestInterval;
    if (last) std::erase(state->subscriptions, due);
    lock.unlock();
    {
      std::lock_guard calling(due->calling);
      if (!due->ended) due->observer(view, last);
    }
    lock.lock();
  }
}

}  // namespace kiln::engine
