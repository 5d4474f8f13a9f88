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
      : turns_(std::exchange(other.turns_, nullptr)), urgency_(other.urgency_) {}
  Turn& operator=(Turn&&) = delete;
  ~Turn();

  // Lets those go first who are more urgent; OK at once when nobody is. After CANCELLED the turn is
  // lost.
  Status yield(std::stop_token stop);

 private:
  friend class Turns;
  Turn(Turns& turns, Urgency urgency) : turns_(&turns), urgency_(urgency) {}
  Turns* turns_;
  Urgency urgency_;
};

class Turns {
 public:
  // Waits. CANCELLED when stopped.
  StatusOr<Turn> take(Urgency urgency, std::stop_token stop);

 private:
  friend class Turn;
  bool first_in_line(Urgency urgency, uint64_t ticket) const;
  Status wait_for_turn(Urgency urgency, std::stop_token stop);
  void release();

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::array<std::deque<uint64_t>, 3> waiting_;  // tickets, by urgency
  uint64_t next_ticket_ = 0;
  bool taken_ = false;
};

}  // namespace kiln::tuner
