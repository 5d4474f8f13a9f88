// Accepts connections on the daemon's Unix socket.
//
// gRPC (1.51) stops listening for good once accept() finds no file descriptor free. Here a
// connection that would take one of the last descriptors is closed at once, which its client sees
// as UNAVAILABLE; they are kept for what the daemon works with: compilers, workers, the database.
// When clients leave, others are let in again.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "core/status.h"

namespace kiln::server {

class Listener {
 public:
  // Listens at `path`, where nothing may be yet (SocketGuard), and gives every connection, not
  // blocking and the callee's to close, to `connected` from a thread of its own.
  static StatusOr<std::unique_ptr<Listener>> start(const std::string& path,
                                                   std::function<void(int fd)> connected);
  // Connections not accepted yet are reset, later ones refused.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  Listener(int socket, int stop_event, std::function<void(int fd)> connected);
  void accept_connections();
  bool stopped_within(int milliseconds) const;

  const int socket_;
  const int stop_event_;
  const int first_reserved_;  // the lowest descriptor that no connection gets
  const std::function<void(int fd)> connected_;
  std::thread thread_;  // last: uses the others
};

}  // namespace kiln::server
