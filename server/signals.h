// Signals that steer the daemon, as values that the main thread waits for.
//
// Handlers are ordinary ones, not a blocked mask: child processes (compilers, workers) start with
// the signals' default actions.

#pragma once

namespace kiln::server {

class Signals {
 public:
  enum class Event { kStop, kReload };

  // Installs handlers for SIGTERM, SIGINT (stop) and SIGHUP (reload); SIGPIPE is ignored. After the
  // first stop, the second ends the process at once with 128 + its number. One a process.
  static void install();

  // Blocks until the next event.
  static Event wait();
};

}  // namespace kiln::server
