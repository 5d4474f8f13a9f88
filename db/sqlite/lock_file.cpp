#include "db/sqlite/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/numbers.h"

namespace kiln::db {
namespace {

std::string holder(int descriptor) {
  char text[32] = {};
  const ssize_t size = ::pread(descriptor, text, sizeof text - 1, 0);
  int64_t pid = 0;
  if (size <= 0 || !absl::SimpleAtoi(text, &pid)) {
    return "another process";
  }
  return pid == ::getpid() ? fmt::format("this process ({})", pid) : fmt::format("process {}", pid);
}

}  // namespace

StatusOr<LockFile> LockFile::acquire(const std::string& path) {
  const int descriptor =
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, fmt::format("lock file {}", path));
  LockFile lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return absl::ErrnoToStatus(errno, fmt::format("lock file {}", path));
    return absl::FailedPreconditionError(
        fmt::format("{} is held by {}; one process at a time may use a state directory", path,
                    holder(descriptor)));
  }
  // On a full disk the message about the holder is poorer, the lock holds all the same.
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(descriptor, 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(descriptor, pid.data(), pid.size(), 0);
  }
  return lock;
}

LockFile::~LockFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace kiln::db
