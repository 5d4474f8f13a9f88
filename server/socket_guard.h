// The place of the daemon's Unix socket: private to its user, held by one daemon.

#pragma once

#include <memory>
#include <string>

#include "core/status.h"

namespace kiln::server {

class SocketGuard {
 public:
  // Makes the socket's directory with mode 0700 if it is missing, takes the place and removes the
  // socket of a daemon that died. The caller then binds. Errors: INVALID_ARGUMENT for a path that
  // no socket can have; PERMISSION_DENIED when the directory belongs to somebody else, is a
  // symbolic link or is writable by others, or the path is no socket; FAILED_PRECONDITION naming
  // the process that listens there already.
  static StatusOr<std::unique_ptr<SocketGuard>> claim(const std::string& path);

  // Removes the socket, if the place was taken, and gives it back.
  ~SocketGuard();
  SocketGuard(const SocketGuard&) = delete;
  SocketGuard& operator=(const SocketGuard&) = delete;

 private:
  SocketGuard(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  const std::string path_;
  const int lock_;      // a file beside the socket, locked while the daemon lives
  bool taken_ = false;  // the socket at the path is this daemon's
};

}  // namespace kiln::server
