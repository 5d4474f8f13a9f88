// What a library with threads and locks needs to know about fork().

#pragma once

#include <cstdint>
#include <mutex>

namespace kiln {

// Changes in a child process: state made before (threads, locks, connections) is the parent's.
uint64_t fork_generation();

// Held by background threads while they are inside gRPC; fork() waits for it, so that the child
// finds gRPC's own locks free. Hold it briefly.
std::mutex& fork_gate();

}  // namespace kiln
