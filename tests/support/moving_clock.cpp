// Preloaded into a process under test: its system clock goes ahead of the machine's by what a file
// says, so that a test can set the clock of one running process.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

using Clock = int(clockid_t, timespec*);

// The C library's, which asks no kernel: a variant's process may not. Both are found before it
// gives up system calls; finding them may ask for the time.
Clock* machine = nullptr;
// Nanoseconds, written by the test.
const std::atomic<int64_t>* lead = nullptr;

__attribute__((constructor)) void prepare() {
  machine = reinterpret_cast<Clock*>(dlsym(RTLD_NEXT, "clock_gettime"));
  const char* path = getenv("KILN_TEST_CLOCK");
  const int file = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void* page = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (page != MAP_FAILED) lead = static_cast<const std::atomic<int64_t>*>(page);
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) {
  const int result =
      machine == nullptr ? int(syscall(SYS_clock_gettime, clock, time)) : machine(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME && lead != nullptr) {
    constexpr int64_t kSecond = 1'000'000'000;
    const int64_t now = time->tv_sec * kSecond + time->tv_nsec + *lead;
    time->tv_sec = now / kSecond;
    time->tv_nsec = now % kSecond;
  }
  return result;
}
