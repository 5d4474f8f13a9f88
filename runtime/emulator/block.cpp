#include "runtime/emulator/block.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/emulator/warpgroup.h"

namespace kiln::runtime::emulator {
namespace {

void run_thread(void* argument) {
  Thread& thread = *static_cast<Thread*>(argument);
  thread.owner->run_body(thread);
}

const char* name_of(Together operation) {
  switch (operation) {
    case Together::kBarrier:
      return "a barrier";
    case Together::kShuffle:
      return "a shuffle";
    case Together::kCopy:
      return "a direct copy";
    case Together::kBallot:
      return "a ballot";
    case Together::kLoadMatrices:
      return "a load of matrices";
    case Together::kMultiply:
      return "a matrix instruction";
    case Together::kProduct:
      return "a warpgroup's product";
    case Together::kProductWait:
      return "a wait for products";
  }
  return "an operation";
}

std::string text_of(KilnPlace place) {
  return fmt::format("{}:{}", place.file, place.line);
}

bool same(KilnPlace a, KilnPlace b) {
  return a.line == b.line && std::string_view(a.file) == b.file;
}

}  // namespace

void Block::run(const Work& work) {
  set_up(work);
  run_threads();
  if (!given_up_) report_left();
}

void Block::report_left() {
  for (size_t number = 0; number < numbered_.size(); ++number) {
    const NumberedBarrier& barrier = numbered_[number];
    if (barrier.come.empty() || !barrier.waiting.empty()) continue;
    report(
        *threads_[size_t(barrier.come.front())], Fault::Kind::kDivergence,
        fmt::format("{} threads came to barrier {} that no one meets", barrier.come.size(), number),
        barrier.place);
  }
  for (int i = 0; i < count_; ++i) {
    Thread& t = *threads_[size_t(i)];
    if (!t.copies.empty()) {
      report(t, Fault::Kind::kInFlight, "a copy that is never waited for", {});
      return;
    }
    if (!t.pending_reads.empty()) {
      report(t, Fault::Kind::kInFlight, "a product that is never waited for", {});
      return;
    }
  }
  if (!boxes_.empty()) {
    report(*boxes_.front().thread, Fault::Kind::kInFlight, "a bulk copy that is never waited for",
           boxes_.front().place);
  }
}

void Block::set_up(const Work& work) {
  work_ = work;
  const KilnEmulatorBody& body = *work.body;
  given_up_ = false;
  random_.seed(uint32_t(work.seed % 0x7ffffffe) + 1);
  scratchpad_.start_block(work.scratchpad_bytes);
  retired_.clear();
  ready_.clear();
  count_ = body.threads;
  // Epochs go on from block to block: what earlier blocks did to scratchpad is long ago.
  const auto prepare = [](Meeting& meeting, int size) {
    meeting.size = size;
    ++meeting.epoch;
    meeting.here.clear();
    meeting.brought.assign(size_t(size), nullptr);
  };
  prepare(all_, count_);
  warps_.resize(size_t(count_ / body.lanes));
  for (Meeting& warp : warps_)
    prepare(warp, body.lanes);
  warpgroups_.resize(size_t((count_ + kWarpgroup - 1) / kWarpgroup));
  for (Meeting& group : warpgroups_) {
    prepare(group, kWarpgroup);
    group.orders = false;
  }
  numbered_.fill({});
  phased_.clear();
  late_.clear();
  boxes_.clear();
  clocks_.start_block(count_ + kCopiers, body.lanes);
  for (int i = 0; i < count_; ++i) {
    if (size_t(i) == threads_.size()) threads_.push_back(std::make_unique<Thread>());
    Thread& t = *threads_[size_t(i)];
    static_cast<KilnEmulatorThread&>(t) = {.api = work.api,
                                           .thread = i,
                                           .lane = i % body.lanes,
                                           .warp = i / body.lanes,
                                           .block = {work.index[0], work.index[1], work.index[2]},
                                           .grid = {work.grid[0], work.grid[1], work.grid[2]},
                                           .kernel = {"(start of the kernel)", 0}};
    t.owner = this;
    t.copies.clear();
    t.group = 0;
    t.pending_sums.clear();
    t.pending_reads.clear();
    t.product_group = 0;
    t.registers_fenced = false;
    t.fibre.start(run_thread, &t);
    ready_.push_back(&t);
  }
}

void Block::run_body(Thread& thread) {
  work_.body->run(work_.slots, &thread);
}

void Block::run_threads() {
  int ended = 0;
  while (!given_up_) {
    // Copies land late: when nothing else can go on, and now and then before.
    if (!late_.empty() && (ready_.empty() || random_() % 64 == 0)) {
      land_late_arrival();
      continue;
    }
    if (!boxes_.empty() && ended < count_ && (ready_.empty() || random_() % 64 == 0)) {
      land_box();
      continue;
    }
    if (ready_.empty()) break;
    const size_t chosen = random_() % ready_.size();
    Thread& thread = *ready_[chosen];
    ready_[chosen] = ready_.back();
    ready_.pop_back();
    thread.fibre.resume();
    ended += thread.fibre.done();
  }
  if (!given_up_ && ended < count_) report_stuck();
}

void Block::report_stuck() {
  const auto waits = [&](const Meeting& meeting, const char* group) {
    if (meeting.here.empty()) return;
    const Thread& first = *meeting.here.front();
    report(first, Fault::Kind::kDivergence,
           fmt::format("{} of {} threads of the {} wait at {}, the others never come",
                       meeting.here.size(), meeting.size, group, name_of(meeting.operation)),
           meeting.place);
  };
  waits(all_, "block");
  for (const Meeting& warp : warps_)
    waits(warp, "warp");
  for (const Meeting& group : warpgroups_)
    waits(group, "warpgroup");
  for (size_t number = 0; number < numbered_.size(); ++number) {
    const NumberedBarrier& barrier = numbered_[number];
    if (barrier.waiting.empty()) continue;
    report(*barrier.waiting.front(), Fault::Kind::kDivergence,
           fmt::format("{} of {} threads have come to barrier {}, the others never come",
                       barrier.come.size(), barrier.threads, number),
           barrier.place);
  }
  for (const auto& [at, barrier] : phased_) {
    if (barrier.waiting.empty()) continue;
    report(*barrier.waiting.front(), Fault::Kind::kDivergence,
           fmt::format("{} threads wait for phase {} of the barrier at byte {}, {} of {} arrivals "
                       "never come, and {} bytes more are expected than come",
                       barrier.waiting.size(), barrier.phase, at, barrier.missing, barrier.arrivals,
                       barrier.missing_bytes),
           barrier.waiting.front()->phase_place);
  }
}

void Block::report(const Thread& t, Fault::Kind kind, std::string detail, KilnPlace place) {
  work_.faults->add({.kind = kind,
                     .detail = std::move(detail),
                     .kernel = t.kernel,
                     .lowering = place,
                     .thread = t.thread,
                     .block = work_.index});
}

void Block::give_up(Thread& t) {
  given_up_ = true;
  t.fibre.suspend();  // for good
}

void Block::meet(Meeting& meeting, int position, Thread& thread, Together operation,
                 KilnPlace place, void* brought, Act act) {
  if (meeting.here.empty()) {
    meeting.operation = operation;
    meeting.place = place;
  } else if (meeting.operation != operation || !same(meeting.place, place)) {
    report(thread, Fault::Kind::kDivergence,
           fmt::format("comes to {} while thread {} waits at {} ({})", name_of(operation),
                       meeting.here.front()->thread, name_of(meeting.operation),
                       text_of(meeting.place)),
           place);
    give_up(thread);
  }
  meeting.here.push_back(&thread);
  meeting.brought[size_t(position)] = brought;
  if (int(meeting.here.size()) < meeting.size) {
    thread.fibre.suspend();
    return;
  }
  act(std::span<void* const>(meeting.brought));
  ++meeting.epoch;
  if (meeting.orders && clocks_.on()) {
    std::vector<int> warps;
    for (const Thread* one : meeting.here) {
      if (std::ranges::find(warps, one->warp) == warps.end()) warps.push_back(one->warp);
    }
    clocks_.meet(warps);
  }
  for (Thread* other : meeting.here) {
    if (other != &thread) ready_.push_back(other);
  }
  meeting.here.clear();
  // The last to come has no right to go on first.
  ready_.push_back(&thread);
  thread.fibre.suspend();
}

void Block::barrier(Thread& t, KilnEmulatorScope scope, KilnPlace place) {
  if (scope == kKilnEmulatorWarp) {
    meet(warp_of(t), t.lane, t, Together::kBarrier, place, nullptr, [](auto) {});
    return;
  }
  meet(all_, t.thread, t, Together::kBarrier, place, nullptr, [&](auto) {
    for (auto [from, bytes] : retired_)
      scratchpad_.retire(from, bytes);
    retired_.clear();
  });
}

void Block::retire(uint32_t from, uint32_t bytes) {
  const std::pair range(from, bytes);
  if (std::ranges::find(retired_, range) == retired_.end()) retired_.push_back(range);
}

uint32_t Block::shuffle_xor(Thread& t, uint32_t value, int mask, KilnPlace place) {
  struct Share {
    uint32_t value;
    int mask;
    uint32_t result;
  } share{value, mask, 0};
  meet(warp_of(t), t.lane, t, Together::kShuffle, place, &share, [&](std::span<void* const> all) {
    for (size_t lane = 0; lane < all.size(); ++lane) {
      Share& own = *static_cast<Share*>(all[lane]);
      own.result = static_cast<Share*>(all[(lane ^ size_t(own.mask)) % all.size()])->value;
    }
  });
  return share.result;
}

KilnU64 Block::ballot(Thread& t, bool vote, KilnPlace place) {
  KilnU64 votes = vote;
  meet(warp_of(t), t.lane, t, Together::kBallot, place, &votes, [](std::span<void* const> all) {
    KilnU64 bits = 0;
    for (size_t lane = 0; lane < all.size(); ++lane)
      bits |= *static_cast<KilnU64*>(all[lane]) << lane;
    for (void* own : all)
      *static_cast<KilnU64*>(own) = bits;
  });
  return votes;
}

}  // namespace kiln::runtime::emulator
