#include "client/tunectl/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

namespace kiln::tunectl {
namespace {

constexpr int kInterruptedExit = 130;

sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

void watch(int end_event, std::stop_source stop) {
  const sigset_t signals = watched_signals();
  const int signal_file = signalfd(-1, &signals, SFD_CLOEXEC);
  if (signal_file < 0) return;
  while (true) {
    pollfd files[] = {{signal_file, POLLIN, 0}, {end_event, POLLIN, 0}};
    if (poll(files, 2, -1) < 0) continue;
    if (files[1].revents != 0) break;
    signalfd_siginfo received{};
    if (read(signal_file, &received, sizeof received) != sizeof received) continue;
    if (!stop.request_stop()) _exit(kInterruptedExit);
  }
  close(signal_file);
}

}  // namespace

SignalWatch::SignalWatch(std::stop_source stop) : end_event_(eventfd(0, EFD_CLOEXEC)) {
  const sigset_t signals = watched_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::thread(watch, end_event_, std::move(stop));
}

SignalWatch::~SignalWatch() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(end_event_, &one, sizeof one);
  thread_.join();
  close(end_event_);
}

}  // namespace kiln::tunectl
