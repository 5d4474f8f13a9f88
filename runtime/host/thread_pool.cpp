#include "runtime/host/thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/host/futex.h"
#include "runtime/host/placement.h"

namespace kiln::runtime {
namespace {

using Clock = std::chrono::steady_clock;

// Long enough to catch the next launch of a sequence of kernels.
constexpr auto kSpin = std::chrono::microseconds(50);
// Past spinning a waiter yields for a while: nothing wakes up faster. But where another thread
// wants the processor, a yield hands it over for a whole time slice, during which this thread is
// not woken by what it waits for; asleep, it would preempt the other. So after one such yield the
// waiter sleeps right after spinning, until the processor may have become free again.
constexpr auto kYield = std::chrono::milliseconds(2);
constexpr auto kSlowYield = std::chrono::microseconds(100);
constexpr auto kBusyPeriod = std::chrono::milliseconds(200);
constexpr int kPausesPerClockRead = 32;

// A range handed out is this part of what one worker would still get.
constexpr int64_t kRangesPerWorker = 4;

inline void pause_processor() {
  __builtin_ia32_pause();
}

// How one thread waits; used by one thread at a time.
class Waiter {
 public:
  // Waits until `word` differs from `old`. `sleepers` counts those who need a wake-up.
  void await_change(std::atomic<uint32_t>& word, uint32_t old, std::atomic<uint32_t>& sleepers) {
    const Clock::time_point start = Clock::now();
    Clock::time_point now = start;
    while (now - start < kSpin) {
      for (int i = 0; i < kPausesPerClockRead; ++i) {
        if (word.load(std::memory_order_acquire) != old) return;
        pause_processor();
      }
      now = Clock::now();
    }
    while (now - start < kYield && now >= busy_until_) {
      if (word.load(std::memory_order_acquire) != old) return;
      sched_yield();
      const Clock::time_point before = std::exchange(now, Clock::now());
      if (now - before > kSlowYield) busy_until_ = now + kBusyPeriod;
    }
    sleepers.fetch_add(1);
    while (word.load() == old)
      futex_wait(word, old);
    sleepers.fetch_sub(1);
  }

 private:
  Clock::time_point busy_until_{};  // another thread was seen to use this processor
};

// Threads started meanwhile block all signals, which belong to the threads of the program; but for
// those that a thread's own instructions raise, for handlers to tell what a kernel did.
class QuietSignals {
 public:
  QuietSignals() {
    sigset_t others;
    sigfillset(&others);
    for (const int own : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT}) {
      sigdelset(&others, own);
    }
    pthread_sigmask(SIG_SETMASK, &others, &before_);
  }
  ~QuietSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

// A launch is published by opening the gate. Workers enter it only while it is open; the caller
// works too, closes the gate when nothing is left to hand out, and waits for those inside. So a
// worker that the machine does not schedule in time delays nobody: it finds the gate closed.
struct ThreadPool::State {
  static constexpr uint32_t kOpen = 1u << 31;  // the bits below count the workers inside

  struct Job {
    Body body = nullptr;
    void* context = nullptr;
    int64_t total = 0;
    int workers = 1;
  };

  std::mutex turn;
  Job job;  // written only while the gate is closed and empty
  std::vector<std::thread> threads;
  Placement placement;
  Waiter caller;  // whoever has the turn

  alignas(64) std::atomic<int64_t> next{0};
  alignas(64) std::atomic<uint32_t> gate{0};
  std::atomic<uint32_t> caller_sleeps{0};
  alignas(64) std::atomic<uint32_t> launches{0};  // changes with every launch, and to stop
  std::atomic<uint32_t> sleepers{0};
  std::atomic<bool> stopping{false};

  std::vector<pid_t> ids;  // of the threads, written by each before it counts itself as started
  std::atomic<uint32_t> started{0};

  void work(int worker) {
    int64_t first = next.load(std::memory_order_relaxed);
    while (first < job.total) {
      // Ranges shrink with what is left: few hand-outs, and an even end.
      const int64_t share = (job.total - first) / (kRangesPerWorker * job.workers);
      const int64_t last = first + std::max<int64_t>(share, 1);
      if (!next.compare_exchange_weak(first, last, std::memory_order_relaxed)) continue;
      job.body(job.context, first, last, worker);
      first = next.load(std::memory_order_relaxed);
    }
  }

  bool enter() {
    uint32_t seen = gate.load();
    while (seen & kOpen) {
      if (gate.compare_exchange_weak(seen, seen + 1)) return true;
    }
    return false;
  }

  void leave() {
    // The last to leave a closed gate wakes the caller.
    if (gate.fetch_sub(1) == 1 && caller_sleeps.load() > 0) futex_wake_all(gate);
  }

  void serve(int worker) {
    ids[size_t(worker - 1)] = gettid();
    started.fetch_add(1);
    futex_wake_all(started);
    uint32_t seen = 0;
    Waiter waiter;
    while (true) {
      waiter.await_change(launches, seen, sleepers);
      seen = launches.load();
      if (stopping.load()) return;
      if (!enter()) continue;
      work(worker);
      leave();
    }
  }

  void announce() {
    launches.fetch_add(1);
    if (sleepers.load() > 0) futex_wake_all(launches);
  }

  void close_and_wait() {
    uint32_t inside = gate.fetch_and(~kOpen) & ~kOpen;
    while (inside != 0) {
      caller.await_change(gate, inside, caller_sleeps);
      inside = gate.load(std::memory_order_acquire);
    }
  }
};

ThreadPool::ThreadPool(int workers) : state_(std::make_unique<State>()) {
  if (workers <= 0) workers = usable_cpus();
  QuietSignals quiet;
  state_->ids.resize(size_t(workers) - 1);
  for (int worker = 1; worker < workers; ++worker) {
    try {
      state_->threads.emplace_back([state = state_.get(), worker] { state->serve(worker); });
    } catch (const std::system_error&) {
      break;  // the process may have no more threads: fewer workers give the same results
    }
    pthread_setname_np(state_->threads.back().native_handle(), "kiln-pool");
  }
  const auto count = uint32_t(state_->threads.size());
  for (uint32_t seen; (seen = state_->started.load()) != count;) {
    futex_wait(state_->started, seen);
  }
  state_->ids.resize(count);
  state_->placement.bind(state_->ids);
}

ThreadPool::~ThreadPool() {
  state_->stopping = true;
  state_->announce();
  for (std::thread& thread : state_->threads)
    thread.join();
}

int ThreadPool::workers() const {
  return int(state_->threads.size()) + 1;
}

void ThreadPool::run(int64_t total, Body body, void* context) {
  if (total <= 0) return;
  State& state = *state_;
  std::lock_guard turn(state.turn);
  if (total == 1 || state.threads.empty()) return body(context, 0, total, 0);
  state.placement.make_room_for_caller();
  state.job = {body, context, total, workers()};
  state.next.store(0, std::memory_order_relaxed);
  state.gate.store(State::kOpen);
  state.announce();
  state.work(0);
  state.close_and_wait();
}

namespace {

std::atomic<ThreadPool*> shared_pool{nullptr};
// A child of fork() has the parent's pool in memory but none of its threads: it is kept, never
// used.
ThreadPool* lost_pool = nullptr;

}  // namespace

ThreadPool& ThreadPool::shared() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] {
    if (ThreadPool* pool = shared_pool.exchange(nullptr)) lost_pool = pool;
  });
  (void)registered;
  ThreadPool* pool = shared_pool.load(std::memory_order_acquire);
  if (pool) return *pool;
  auto made = std::make_unique<ThreadPool>();
  if (shared_pool.compare_exchange_strong(pool, made.get())) return *made.release();
  return *pool;
}

}  // namespace kiln::runtime
