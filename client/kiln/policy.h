// What a caller accepts as an answer.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kiln {

struct Policy {
  enum class Wait : uint8_t {
    kNone,        // the best known, at once
    kDeadline,    // up to `deadline` for a tuned kernel, then the best known
    kUntilTuned,  // up to ClientOptions::tuning_deadline
  };
  enum class StandIn : uint8_t {
    kAny,          // a similar problem's winner, else the family's default
    kDefaultOnly,  // the family's default
    kNone,         // NOT_FOUND unless tuned
  };

  Wait wait = Wait::kNone;
  std::chrono::milliseconds deadline{0};
  StandIn stand_in = StandIn::kAny;
  bool frozen = false;        // neither tunes nor compiles
  bool exact = false;         // only a winner measured on exactly this problem
  int64_t pinned_winner = 0;  // this winner or NOT_FOUND
  std::string device;         // name or fingerprint; empty: the host

  bool operator==(const Policy&) const = default;
};

}  // namespace kiln
