// Preloaded into a process under test: its system clock goes ahead of the machine's by what a file
// says, so that a test can set the clock of one running process.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

using Clock = int(clockid_t, timespec*);

// The C library's, which asks no kernel: a variant's process may not.
Clock* machine() {
  static Clock* const clock = reinterpret_cast<Clock*>(dlsym(RTLD_NEXT, "clock_gettime"));
  return clock;
}

// Nanoseconds, written by the test.
const std::atomic<int64_t>* lead() {
  static const std::atomic<int64_t>* const mapped = []() -> const std::atomic<int64_t>* {
    const char* path = getenv("KILN_TEST_CLOCK");
    const int file = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return nullptr;
    void* page = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    return page == MAP_FAILED ? nullptr : static_cast<const std::atomic<int64_t>*>(page);
  }();
  return mapped;
}

// Both before a process gives up system calls.
__attribute__((constructor)) void prepare() {
  machine();
  lead();
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) {
  const int result = machine()(clock, time);
  const std::atomic<int64_t>* ahead = lead();
  if (result == 0 && clock == CLOCK_REALTIME && ahead != nullptr) {
    constexpr int64_t kSecond = 1'000'000'000;
    const int64_t now = time->tv_sec * kSecond + time->tv_nsec + *ahead;
    time->tv_sec = now / kSecond;
    time->tv_nsec = now % kSecond;
  }
  return result;
}
