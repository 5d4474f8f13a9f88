#include "devices/host/probe.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <bit>

#include "devices/host/probe_loops.h"

namespace kiln::devices {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

// How long the first worker waits for the others, so that all run at the same time.
constexpr auto kGathering = std::chrono::microseconds(500);
// A worker looks at the clock about this often.
constexpr size_t kStreamPiece = 64 * kProbeChunk;

int64_t now() {
  return Clock::now().time_since_epoch() / nanoseconds(1);
}

// Runs `piece(worker item, turn)` on every worker until the time is over and adds up what the
// pieces return; the result is a rate a second.
template <class Piece>
class Race {
 public:
  Race(runtime::ParallelFor& parallel, nanoseconds length, Piece piece)
      : parallel_(parallel), length_(length), piece_(piece) {}

  double rate() {
    auto body = [](void* context, int64_t first, int64_t last, int) {
      for (int64_t item = first; item < last; ++item)
        static_cast<Race*>(context)->run(item);
    };
    parallel_.run(parallel_.workers(), body, this);
    const double seconds = double(end_ - begin_) * 1e-9;
    return seconds > 0 ? total_ / seconds : 0;
  }

 private:
  void run(int64_t item) {
    gather();
    double done = 0;
    int64_t time = now();
    const int64_t deadline = begin_ + length_.count();
    // A worker that came too late, or runs a second item, has no time left and adds nothing.
    for (size_t turn = 0; time < deadline; ++turn) {
      done += piece_(size_t(item), turn);
      time = now();
    }
    if (done == 0) return;
    total_.fetch_add(done);
    int64_t end = end_;
    while (end < time && !end_.compare_exchange_weak(end, time)) {
    }
  }

  void gather() {
    const Clock::time_point limit = Clock::now() + kGathering;
    const int arrived = ++arrived_;
    while (begin_ == 0 && arrived < parallel_.workers() && arrived_ < parallel_.workers() &&
           Clock::now() < limit) {
      sched_yield();
    }
    int64_t unset = 0;
    begin_.compare_exchange_strong(unset, now());
  }

  runtime::ParallelFor& parallel_;
  nanoseconds length_;
  Piece piece_;
  std::atomic<int> arrived_{0};
  std::atomic<int64_t> begin_{0}, end_{0};
  std::atomic<double> total_{0};
};

std::span<std::byte> whole_chunks(std::span<std::byte> buffer) {
  const auto address = std::bit_cast<uintptr_t>(buffer.data());
  const size_t skip = std::min(buffer.size(), size_t(-address % kProbeChunk));
  buffer = buffer.subspan(skip);
  return buffer.first(buffer.size() / kProbeChunk * kProbeChunk);
}

}  // namespace

Probe::Probe(runtime::InstructionSet set, std::span<std::byte> buffer)
    : set_(set), buffer_(whole_chunks(buffer)) {}

double Probe::fma(runtime::ParallelFor& parallel, nanoseconds length) const {
  auto piece = [loop = probe_loops(set_).fma](size_t, size_t) { return loop(); };
  return Race(parallel, length, piece).rate();
}

double Probe::bf16_dot(runtime::ParallelFor& parallel, nanoseconds length) const {
  const auto loop = probe_loops(set_).bf16_dot;
  if (!loop) return 0;
  auto piece = [loop](size_t, size_t) { return loop(); };
  return Race(parallel, length, piece).rate();
}

double Probe::read(runtime::ParallelFor& parallel, nanoseconds length) {
  return stream(parallel, length, false);
}

double Probe::copy(runtime::ParallelFor& parallel, nanoseconds length) {
  return stream(parallel, length, true);
}

double Probe::stream(runtime::ParallelFor& parallel, nanoseconds length, bool copy) {
  // Each worker goes through a share of its own, piece by piece.
  const size_t half = buffer_.size() / 2 / kProbeChunk * kProbeChunk;
  const size_t total = copy ? half : buffer_.size();
  const size_t pieces = total / size_t(parallel.workers()) / kStreamPiece;
  if (pieces == 0) return 0;
  const ProbeLoops loops = probe_loops(set_);
  std::atomic<size_t> most{0};
  auto piece = [&, start = cursor_](size_t item, size_t turn) {
    const size_t at = (item * pieces + (start + turn) % pieces) * kStreamPiece;
    if (copy) {
      loops.copy(buffer_.data() + half + at, buffer_.data() + at, kStreamPiece);
    } else {
      loops.read(buffer_.data() + at, kStreamPiece);
    }
    if (turn >= most.load(std::memory_order_relaxed)) most.store(turn + 1);
    return double(copy ? 2 * kStreamPiece : kStreamPiece);
  };
  const double rate = Race(parallel, length, piece).rate();
  cursor_ = (cursor_ + most) % pieces;
  return rate;
}

}  // namespace kiln::devices
