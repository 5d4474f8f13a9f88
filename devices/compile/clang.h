// The clang that compiles kernels. Looked for at first use, and again as long as it is missing.
// Thread-safe.

#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "core/status.h"

namespace kiln::devices {

class Clang {
 public:
  struct Found {
    std::string path;
    std::string version;  // "clang 19.1.7"
  };

  // `wanted`: path or name; empty: the first clang++ in PATH that is recent enough.
  explicit Clang(std::string wanted) : wanted_(std::move(wanted)) {}

  // UNAVAILABLE says what to install.
  StatusOr<Found> find() const;

 private:
  std::string wanted_;
  mutable std::mutex mutex_;
  mutable std::optional<Found> found_;  // guarded by mutex_
};

}  // namespace kiln::devices
