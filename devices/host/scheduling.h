// Work that others need not wait for, on processors that it shares with them.

#pragma once

namespace kiln::devices {

// Makes the calling thread, and whatever threads and processes it starts from here on, give way to
// threads that wake up to answer somebody. Niceness alone does not: since Linux 6.6 a thread that
// wakes up waits for the running one's slice to end, which takes until the next tick (4 ms), unless
// its own slice is shorter (6.12). So this thread gets the longest slice there is, and loses
// nothing by it. Less nice than it was the thread never becomes.
//
// Makes system calls only, so that a child of vfork() may call it.
void give_way(int niceness);

}  // namespace kiln::devices
