// What each thread of a block knows of the others by barriers that not all of them take part in
// (vector clocks).
//
// Every thread has a time, which goes on when it releases what it did, and knows times of others up
// to which their accesses come before its own. Off until a block needs it: barriers of the whole
// block and operations of a warp are counted in epochs (scratchpad.h), which costs less.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace kiln::runtime::emulator {

class Clocks {
 public:
  using Time = uint32_t;
  // By thread. Empty: nothing.
  using Knowledge = std::vector<Time>;

  void start_block(int threads, int lanes);
  void turn_on() { on_ = true; }
  bool on() const { return on_; }

  Time now(int thread) const { return time_[size_t(thread)]; }
  // Whether what `other` did up to its time `t` comes before what `thread` does now.
  bool knows(int thread, int other, Time t) const;
  Knowledge known_to(int thread) const;

  // What the thread did and knows; its time goes on.
  Knowledge release(int thread);
  void acquire(int thread, const Knowledge& released);
  // All lanes of these warps release and acquire from each other.
  void meet(std::span<const int> warps);

  static void join(Knowledge& into, const Knowledge& from);

 private:
  int lanes_ = 1;
  bool on_ = false;
  std::vector<Time> time_;         // by thread
  std::vector<Knowledge> warp_;    // what all lanes of a warp know
  std::vector<Knowledge> beyond_;  // and one thread besides
};

}  // namespace kiln::runtime::emulator
