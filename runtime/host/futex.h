// Sleeping on a 32-bit word. std::atomic::wait would do, but libstdc++ 12 routes it through a
// shared table of waiters and costs a pool of workers a multiple of a bare futex.

#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>

namespace kiln::runtime {

// Returns when woken, spuriously, or at once when the word is no longer `expected`.
inline void futex_wait(std::atomic<uint32_t>& word, uint32_t expected) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

inline void futex_wake_all(std::atomic<uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace kiln::runtime
