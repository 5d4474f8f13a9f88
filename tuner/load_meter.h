// How busy others keep the machine: the load that background tuning must not add to.

#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>

namespace kiln::tuner {

class LoadMeter {
 public:
  // `own`: CPU time that this process and its children have used so far.
  using OwnTime = std::function<std::chrono::nanoseconds()>;
  explicit LoadMeter(OwnTime own, std::string stat_file = "/proc/stat");

  // Takes a look and gives the load a processor, in [0, 1], that others caused since a look at
  // least a second ago (and hardly longer); absent when there was none. Without a readable file
  // the load counts as 0.
  std::optional<double> look();

 private:
  struct Look {
    std::chrono::steady_clock::time_point when;
    double busy_seconds;  // of all processors
    double own_seconds;
  };
  std::optional<double> read_busy_seconds();

  OwnTime own_;
  std::string stat_file_;
  int processors_ = 1;
  std::deque<Look> looks_;
};

}  // namespace kiln::tuner
