// Block's calls for barriers that not all of its threads take part in: those in phases, and those
// of some warps.

#include <fmt/format.h>

#include <algorithm>

#include "runtime/emulator/block.h"

namespace kiln::runtime::emulator {
namespace {

constexpr uint32_t kBarrierBytes = 8;

}  // namespace

void Block::phase_init(Thread& t, uint32_t at, uint32_t arrivals, KilnPlace place) {
  if (!check_shared(t, Scratchpad::Use::kStore, at, kBarrierBytes, place)) return;
  clocks_.turn_on();
  PhasedBarrier& barrier = phased_[at];
  barrier = {};
  barrier.arrivals = barrier.missing = arrivals;
  barrier.copier = count_ + int(phased_.size() - 1) % kCopiers;
  barrier.maker = t.thread;
  barrier.maker_fences = scratchpad_.fences_of(t.thread);
}

PhasedBarrier* Block::phased(Thread& t, uint32_t at, KilnPlace place) {
  if (!check_shared(t, Scratchpad::Use::kPeek, at, kBarrierBytes, place)) return nullptr;
  const auto found = phased_.find(at);
  if (found != phased_.end()) return &found->second;
  report(t, Fault::Kind::kUninitialised, fmt::format("byte {} of scratchpad holds no barrier", at),
         place);
  return nullptr;
}

void Block::arrive(PhasedBarrier& barrier, Thread& t) {
  Clocks::join(barrier.gathered, clocks_.release(t.thread));
  --barrier.missing;
  end_phase_if_over(barrier);
}

void Block::end_phase_if_over(PhasedBarrier& barrier) {
  if (barrier.missing > 0 || barrier.missing_bytes != 0) return;
  barrier.released[barrier.phase % 2] = std::move(barrier.gathered);
  barrier.gathered.clear();
  for (auto [from, bytes] : barrier.dead)
    scratchpad_.retire(from, bytes);
  barrier.dead.clear();
  ++barrier.phase;
  barrier.missing = barrier.arrivals;
  ready_.insert(ready_.end(), barrier.waiting.begin(), barrier.waiting.end());
  barrier.waiting.clear();
}

void Block::phase_arrive(Thread& t, uint32_t at, uint32_t dead, uint32_t bytes, KilnPlace place) {
  PhasedBarrier* barrier = phased(t, at, place);
  if (barrier == nullptr) return;
  const std::pair range(dead, bytes);
  if (bytes > 0 && std::ranges::find(barrier->dead, range) == barrier->dead.end()) {
    barrier->dead.push_back(range);
  }
  arrive(*barrier, t);
  may_yield(t);
}

void Block::phase_expect(Thread& t, uint32_t at, uint32_t bytes, KilnPlace place) {
  PhasedBarrier* barrier = phased(t, at, place);
  if (barrier == nullptr) return;
  barrier->missing_bytes += bytes;
  arrive(*barrier, t);
  may_yield(t);
}

void Block::phase_arrive_copies(Thread& t, uint32_t at, KilnPlace place) {
  if (phased(t, at, place) == nullptr) return;
  late_.push_back({&t, at, std::move(t.copies), place});
  t.copies.clear();
}

void Block::land_late_arrival() {
  const size_t chosen = random_() % late_.size();
  const LateArrival arrival = std::move(late_[chosen]);
  late_.erase(late_.begin() + ptrdiff_t(chosen));
  Thread& t = *arrival.thread;
  for (const Copy& copy : arrival.copies)
    land(t, copy);
  if (PhasedBarrier* barrier = phased(t, arrival.at, arrival.place)) arrive(*barrier, t);
}

void Block::phase_wait(Thread& t, uint32_t at, int parity, KilnPlace place) {
  PhasedBarrier* barrier = phased(t, at, place);
  if (barrier == nullptr) return;
  while (int(barrier->phase % 2) == parity) {
    t.phase_place = place;
    barrier->waiting.push_back(&t);
    t.fibre.suspend();
  }
  clocks_.acquire(t.thread, barrier->released[size_t(parity)]);
}

void Block::warps_barrier(Thread& t, int number, int threads, bool waits, KilnPlace place) {
  NumberedBarrier& barrier = numbered_[size_t(number) % numbered_.size()];
  clocks_.turn_on();
  const bool first = barrier.come.empty();
  if (!first && barrier.threads != threads) {
    report(t, Fault::Kind::kDivergence,
           fmt::format("comes to barrier {} for {} threads, others for {}", number, threads,
                       barrier.threads),
           place);
    give_up(t);
  }
  if (std::ranges::find(barrier.come, t.thread) != barrier.come.end()) {
    report(t, Fault::Kind::kDivergence,
           fmt::format("comes to barrier {} again before {} of {} threads have", number,
                       threads - int(barrier.come.size()), threads),
           place);
    give_up(t);
  }
  if (first) {
    barrier.threads = threads;
    barrier.place = place;
  }
  barrier.come.push_back(t.thread);
  Clocks::join(barrier.gathered, clocks_.release(t.thread));
  if (waits) barrier.waiting.push_back(&t);
  if (int(barrier.come.size()) == threads) {
    for (Thread* other : barrier.waiting) {
      clocks_.acquire(other->thread, barrier.gathered);
      ready_.push_back(other);
    }
    barrier = {};
  }
  if (waits) {
    t.fibre.suspend();
  } else {
    may_yield(t);
  }
}

}  // namespace kiln::runtime::emulator
