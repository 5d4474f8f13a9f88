// The worker's own process: forks a child for every request and says how it ended.

#pragma once

namespace kiln::tuner::worker {

// Serves the control channel until its other end is closed, then ends every descendant and returns
// the exit code. Single-threaded; a child never returns from it.
int run_zygote(int control);

}  // namespace kiln::tuner::worker
