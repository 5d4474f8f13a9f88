// Ctrl-C and SIGTERM as a stop request; a second one ends the program at once.
//
// Construct it before any other thread starts: it blocks the signals for the threads that follow,
// and for child processes, which are then stopped by whoever started them and not by the terminal.

#pragma once

#include <stop_token>
#include <thread>

namespace kiln::tunectl {

class SignalWatch {
 public:
  explicit SignalWatch(std::stop_source stop);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  int end_event_;  // eventfd
  std::thread thread_;
};

}  // namespace kiln::tunectl
