// A running kilnd: engine, service, health and reflection on one Unix socket.

#pragma once

#include <memory>
#include <string>

#include "core/status.h"
#include "engine/engine.h"
#include "server/configuration.h"
#include "server/listener.h"
#include "server/service.h"
#include "server/socket_guard.h"

namespace grpc {
class Server;
}

namespace kiln::server {

class Daemon {
 public:
  // Listens on the claimed socket; UNAVAILABLE when that cannot be.
  static StatusOr<std::unique_ptr<Daemon>> start(const Configuration& configuration,
                                                 std::unique_ptr<SocketGuard> socket,
                                                 std::unique_ptr<engine::Engine> engine);

  // Stops, if stop() was not called.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Health says NOT_SERVING, waits and streams end, calls under way are finished, jobs are queued
  // again for the next start.
  void stop();

  // Applies what can change while running (log level, bounds of `gc`). Returns the keys that differ
  // and need a restart.
  std::vector<std::string> reload(const Configuration& configuration);

  // Where it listens, devices, database: one line.
  std::string description() const;

 private:
  Daemon() = default;

  Configuration configuration_;
  std::unique_ptr<SocketGuard> socket_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Listener> listener_;  // last: hands connections to the server
};

}  // namespace kiln::server
