#include "tuner/turns.h"

#include <algorithm>

namespace kiln::tuner {

Turn::~Turn() {
  if (turns_ != nullptr) turns_->release(borrowed_);
}

Status Turn::yield(std::stop_token stop) {
  {
    const std::lock_guard lock(turns_->mutex_);
    const auto end = turns_->waiting_.begin() + size_t(urgency_);
    if (std::all_of(turns_->waiting_.begin(), end, [](const auto& q) { return q.empty(); })) {
      return absl::OkStatus();
    }
  }
  Turns* turns = std::exchange(turns_, nullptr);
  turns->release(borrowed_);
  KILN_ASSIGN_OR_RETURN(borrowed_, turns->wait_for_turn(urgency_, stop));
  turns_ = turns;
  return absl::OkStatus();
}

void Turn::lend() {
  const std::lock_guard lock(turns_->mutex_);
  turns_->lent_ = true;
  turns_->changed_.notify_all();
}

void Turn::reclaim() {
  std::unique_lock lock(turns_->mutex_);
  turns_->lent_ = false;
  turns_->changed_.wait(lock, [&] { return !turns_->borrowed_; });
}

StatusOr<Turn> Turns::take(Urgency urgency, std::stop_token stop) {
  KILN_ASSIGN_OR_RETURN(const bool borrowed, wait_for_turn(urgency, stop));
  return Turn(*this, urgency, borrowed);
}

bool Turns::first_in_line(Urgency urgency, uint64_t ticket) const {
  for (size_t i = 0; i < size_t(urgency); ++i) {
    if (!waiting_[i].empty()) return false;
  }
  return waiting_[size_t(urgency)].front() == ticket;
}

StatusOr<bool> Turns::wait_for_turn(Urgency urgency, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  auto& line = waiting_[size_t(urgency)];
  const uint64_t ticket = next_ticket_++;
  line.push_back(ticket);
  const auto free = [&] {
    if (urgency == Urgency::kCheck && lent_ && !borrowed_) return true;
    return !taken_ && !borrowed_;
  };
  const bool mine =
      changed_.wait(lock, stop, [&] { return free() && first_in_line(urgency, ticket); });
  line.erase(std::find(line.begin(), line.end(), ticket));
  changed_.notify_all();
  if (!mine) return absl::CancelledError("stopped");
  const bool borrow = taken_;
  (borrow ? borrowed_ : taken_) = true;
  return borrow;
}

void Turns::release(bool borrowed) {
  const std::lock_guard lock(mutex_);
  (borrowed ? borrowed_ : taken_) = false;
  changed_.notify_all();
}

}  // namespace kiln::tuner
