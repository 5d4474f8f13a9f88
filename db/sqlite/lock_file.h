// Ownership of a state directory by one process.
//
// The lock is the kernel's (flock), so it ends with its process however that ends; the file holds
// the owner's process id for messages only and is never removed.

#pragma once

#include <string>

#include "core/status.h"

namespace kiln::db {

class LockFile {
 public:
  // FAILED_PRECONDITION naming the holder's process id when the lock is held, by this process too.
  static StatusOr<LockFile> acquire(const std::string& path);
  ~LockFile();
  LockFile(LockFile&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  LockFile& operator=(LockFile&&) = delete;

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace kiln::db
