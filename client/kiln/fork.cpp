#include "client/kiln/fork.h"

#include <pthread.h>

#include <atomic>

namespace kiln {
namespace {

std::atomic<uint64_t> generation = 0;

// Never destroyed: a thread may still use it while the process exits.
std::mutex& gate() {
  static std::mutex* mutex = new std::mutex;
  return *mutex;
}

// Registered before anything of this library can run in two threads.
const int kRegistered = pthread_atfork([] { gate().lock(); }, [] { gate().unlock(); },
                                       [] {
                                         gate().unlock();
                                         ++generation;
                                       });

}  // namespace

uint64_t fork_generation() {
  return kRegistered == 0 ? generation.load() : 0;
}

std::mutex& fork_gate() {
  return gate();
}

}  // namespace kiln
