// The process that runs variants: loads them, launches them once on guarded buffers, times them.

#pragma once

#include <vector>

#include "tuner/memory_file.h"
#include "tuner/worker/protocol.h"

namespace kiln::tuner::worker {

// Serves the tuner's commands until it closes the channel. `fds` as RunFd orders them. Called in a
// freshly forked process; never returns.
[[noreturn]] void run_child(const RunRequest& request, std::vector<FileDescriptor>& fds);

}  // namespace kiln::tuner::worker
