#include "runtime/emulator/clocks.h"

#include <algorithm>

namespace kiln::runtime::emulator {

void Clocks::start_block(int threads, int lanes) {
  lanes_ = lanes;
  on_ = false;
  time_.assign(size_t(threads), 1);
  warp_.assign(size_t((threads + lanes - 1) / lanes), {});
  beyond_.assign(size_t(threads), {});
}

void Clocks::join(Knowledge& into, const Knowledge& from) {
  if (into.size() < from.size()) into.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i)
    into[i] = std::max(into[i], from[i]);
}

bool Clocks::knows(int thread, int other, Time t) const {
  const auto holds = [&](const Knowledge& known) {
    return size_t(other) < known.size() && known[size_t(other)] >= t;
  };
  return holds(warp_[size_t(thread / lanes_)]) || holds(beyond_[size_t(thread)]);
}

Clocks::Knowledge Clocks::known_to(int thread) const {
  Knowledge known = warp_[size_t(thread / lanes_)];
  join(known, beyond_[size_t(thread)]);
  known.resize(time_.size());
  known[size_t(thread)] = now(thread);
  return known;
}

Clocks::Knowledge Clocks::release(int thread) {
  Knowledge known = known_to(thread);
  ++time_[size_t(thread)];
  return known;
}

void Clocks::acquire(int thread, const Knowledge& released) {
  join(beyond_[size_t(thread)], released);
}

void Clocks::meet(std::span<const int> warps) {
  if (!on_) return;
  const auto each_lane = [&](int warp, auto f) {
    const size_t first = size_t(warp * lanes_);
    for (size_t t = first; t < std::min(first + size_t(lanes_), time_.size()); ++t)
      f(t);
  };
  Knowledge all;
  for (int warp : warps) {
    Knowledge& known = warp_[size_t(warp)];
    known.resize(time_.size());
    each_lane(warp, [&](size_t t) {
      join(known, beyond_[t]);
      beyond_[t].clear();
      known[t] = time_[t]++;
    });
    if (warps.size() > 1) join(all, known);
  }
  if (warps.size() == 1) return;
  for (int warp : warps)
    warp_[size_t(warp)] = all;
}

}  // namespace kiln::runtime::emulator
