#include "tuner/worker/system.h"

#include <sys/stat.h>

#include <chrono>

namespace kiln::tuner::worker {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

StatusOr<int64_t> file_bytes(int fd) {
  struct stat facts;
  if (fstat(fd, &facts) != 0) return absl::InternalError("cannot see a file of the request");
  return facts.st_size;
}

}  // namespace kiln::tuner::worker
