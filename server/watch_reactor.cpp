#include "server/watch_reactor.h"

#include "proto/status.h"
#include "server/convert.h"
#include "server/service.h"

namespace kiln::server {

void WatchReactor::watch(engine::Engine& engine, int64_t job) {
  StatusOr<std::shared_ptr<void>> subscription =
      engine.watch(job, [this](const engine::JobView& view, bool last) { changed(view, last); });
  if (!subscription.ok()) {
    end(subscription.status());
    return;
  }
  std::lock_guard lock(mutex_);
  // The stream may be over already; then the subscription ends here.
  if (!done_) subscription_ = *std::move(subscription);
}

void WatchReactor::end(const Status& status) {
  {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
  }
  Finish(proto::to_grpc(status));
}

void WatchReactor::changed(const engine::JobView& job, bool last) {
  v1::Job message = to_message(job);
  std::unique_lock lock(mutex_);
  if (last_) return;
  next_ = std::move(message);
  last_ = last;
  go_on(std::move(lock));
}

void WatchReactor::go_on(std::unique_lock<std::mutex> lock) {
  if (ended_ || writing_) return;
  if (next_) {
    written_ = *std::move(next_);
    next_.reset();
    writing_ = true;
    lock.unlock();
    StartWrite(&written_);
  } else if (last_) {
    ended_ = true;
    lock.unlock();
    Finish(grpc::Status::OK);
  }
}

void WatchReactor::OnWriteDone(bool ok) {
  std::unique_lock lock(mutex_);
  writing_ = false;
  if (ok) {
    go_on(std::move(lock));
    return;
  }
  lock.unlock();
  end(absl::CancelledError("the client is gone"));
}

void WatchReactor::OnCancel() {
  end(absl::CancelledError("the client is gone"));
}

void WatchReactor::OnDone() {
  std::shared_ptr<void> subscription;
  {
    std::lock_guard lock(mutex_);
    done_ = true;
    subscription = std::move(subscription_);
  }
  subscription.reset();  // waits for a call of changed() under way
  service_.remove(shared_from_this());
}

}  // namespace kiln::server
