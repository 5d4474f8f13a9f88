#include "server/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

namespace kiln::server {
namespace {

constexpr int kSignalExit = 128;

int pipe_ends[2] = {-1, -1};
std::atomic<bool> stopping = false;
static_assert(std::atomic<bool>::is_always_lock_free, "used in a signal handler");

void handle(int signal) {
  const int saved = errno;
  if (signal != SIGHUP && stopping.exchange(true)) _exit(kSignalExit + signal);
  const char event = signal == SIGHUP ? 'r' : 's';
  // A full pipe holds events enough.
  [[maybe_unused]] const ssize_t written = write(pipe_ends[1], &event, 1);
  errno = saved;
}

}  // namespace

void Signals::install() {
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) std::abort();
  fcntl(pipe_ends[1], F_SETFL, O_NONBLOCK);
  struct sigaction action{};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  for (int signal : {SIGTERM, SIGINT, SIGHUP})
    sigaction(signal, &action, nullptr);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
}

Signals::Event Signals::wait() {
  char event = 0;
  while (read(pipe_ends[0], &event, 1) != 1) {
  }
  return event == 'r' ? Event::kReload : Event::kStop;
}

}  // namespace kiln::server
