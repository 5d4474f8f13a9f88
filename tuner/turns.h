// Whose turn it is to use the device: one caller at a time, the more urgent before the less, and
// those equally urgent in the order they came.
//
// Thread-safe. A Turn belongs to the thread that took it.

#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stop_token>
#include <utility>

#include "core/status.h"

namespace kiln::tuner {

// A check answers somebody who waits; it goes between two measurements of any tuning.
enum class Urgency : uint8_t { kCheck, kForeground, kBackground };

class Turns;

class Turn {
 public:
  Turn(Turn&& other) noexcept
      : turns_(std::exchange(other.turns_, nullptr)),
        urgency_(other.urgency_),
        borrowed_(other.borrowed_) {}
  Turn& operator=(Turn&&) = delete;
  ~Turn();

  // Lets those go first who are more urgent; OK at once when nobody is. After CANCELLED the turn is
  // lost.
  Status yield(std::stop_token stop);
  // While the holder has no use for the device (it compiles), checks may go in between.
  // reclaim() waits for one that has begun.
  void lend();
  void reclaim();

 private:
  friend class Turns;
  Turn(Turns& turns, Urgency urgency, bool borrowed)
      : turns_(&turns), urgency_(urgency), borrowed_(borrowed) {}
  Turns* turns_;
  Urgency urgency_;
  bool borrowed_ = false;
};

class Turns {
 public:
  // Waits. CANCELLED when stopped.
  StatusOr<Turn> take(Urgency urgency, std::stop_token stop);

 private:
  friend class Turn;
  bool first_in_line(Urgency urgency, uint64_t ticket) const;
  // Whether the turn is borrowed from its holder.
  StatusOr<bool> wait_for_turn(Urgency urgency, std::stop_token stop);
  void release(bool borrowed);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::array<std::deque<uint64_t>, 3> waiting_;  // tickets, by urgency
  uint64_t next_ticket_ = 0;
  bool taken_ = false;
  bool lent_ = false;      // by the holder of the turn
  bool borrowed_ = false;  // by a check
};

}  // namespace kiln::tuner
