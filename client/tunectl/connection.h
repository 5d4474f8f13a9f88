// How tunectl reaches the service: a daemon's socket, or the same service in this process.

#pragma once

#include <memory>
#include <string>

#include "core/status.h"
#include "kiln/v1/kiln.grpc.pb.h"

namespace kiln::tunectl {

inline constexpr int kLargestMessage = 256 << 20;  // an artifact with its plan

class Connection {
 public:
  virtual ~Connection() = default;
  virtual v1::Kiln::StubInterface& service() = 0;  // thread-safe
};

// Fails with ExitCode::kNoDaemon and what to do when nothing answers, or somebody who is not to be
// trusted. Starts nothing.
StatusOr<std::unique_ptr<Connection>> connect_to_daemon(const std::string& socket);

// Runs the service here, over the database in `state_directory` (empty: the one that a daemon of
// this user has), for one device (empty: the host). Fails when a daemon holds it, or when there is
// no such device.
StatusOr<std::unique_ptr<Connection>> open_embedded(const std::string& state_directory,
                                                    const std::string& device);

}  // namespace kiln::tunectl
