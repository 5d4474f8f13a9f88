#include "runtime/host/thread_pool.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "core/sanitizers.h"

namespace kiln::runtime {
namespace {

// Counts how often each index of a range was handed out, and by which worker.
struct Tally {
  explicit Tally(int64_t total, int workers)
      : counts(size_t(total)), busy(size_t(workers)), total(total) {}

  static void body(void* context, int64_t first, int64_t last, int worker) {
    Tally& tally = *static_cast<Tally*>(context);
    if (worker < 0 || worker >= int(tally.busy.size()) || first >= last || last > tally.total ||
        tally.busy[size_t(worker)].exchange(true)) {
      tally.faults.fetch_add(1);
      return;
    }
    for (int64_t i = first; i < last; ++i)
      tally.counts[size_t(i)].fetch_add(1);
    tally.busy[size_t(worker)] = false;
  }

  bool each_once() const {
    for (const auto& count : counts) {
      if (count != 1) return false;
    }
    return faults == 0;
  }

  std::vector<std::atomic<int>> counts;
  std::vector<std::atomic<bool>> busy;
  std::atomic<int> faults{0};
  int64_t total;
};

TEST_CASE("Every index is handed out once, to one worker at a time") {
  for (int workers : {1, 2, 3, 8}) {
    ThreadPool pool(workers);
    CHECK(pool.workers() == workers);
    for (int64_t total : {0, 1, 2, 7, 100, 12345}) {
      Tally tally(total, workers);
      pool.run(total, Tally::body, &tally);
      INFO("workers " << workers << ", total " << total);
      CHECK(tally.each_once());
    }
  }
}

TEST_CASE("Many small launches in a row all complete") {
  ThreadPool pool(4);
  bool good = true;
  for (int round = 0; round < 3000; ++round) {
    Tally tally(1 + round % 9, 4);
    pool.run(tally.total, Tally::body, &tally);
    good = good && tally.each_once();
  }
  CHECK(good);
}

TEST_CASE("Workers that have gone to sleep wake up for the next launch") {
  ThreadPool pool(2);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    Tally tally(64, 2);
    pool.run(64, Tally::body, &tally);
    CHECK(tally.each_once());
  }
}

TEST_CASE("Several threads may launch on one pool; they take turns") {
  ThreadPool pool(3);
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        for (int round = 0; round < 200; ++round) {
          Tally tally(17, 3);
          pool.run(17, Tally::body, &tally);
          if (tally.each_once()) ++good;
        }
      });
    }
  }
  CHECK(good == 4 * 200);
}

TEST_CASE("Work is shared: a long block does not hold up the others") {
  ThreadPool pool(2);
  struct Context {
    std::atomic<bool> others_done{false};
    std::atomic<int> done{0};
  } context;
  // Block 0 ends only when all others are done: so somebody else must do them.
  auto body = [](void* opaque, int64_t first, int64_t last, int) {
    auto& c = *static_cast<Context*>(opaque);
    for (int64_t i = first; i < last; ++i) {
      if (i == 0) {
        while (!c.others_done)
          std::this_thread::yield();
      } else if (++c.done == 7) {
        c.others_done = true;
      }
    }
  };
  pool.run(8, body, &context);
  CHECK(context.done == 7);
}

TEST_CASE("Workers take a program's signals from nobody, but those of their own faults") {
  ThreadPool pool(2);
  struct Context {
    std::atomic<int> begun{0};
    std::atomic<bool> terminates{true}, faults{false};
  } context;
  auto body = [](void* opaque, int64_t, int64_t, int worker) {
    auto& c = *static_cast<Context*>(opaque);
    if (worker == 1) {
      sigset_t blocked;
      pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
      c.terminates = sigismember(&blocked, SIGTERM) == 0;
      c.faults = sigismember(&blocked, SIGSEGV) == 0;
    }
    ++c.begun;
    while (c.begun < 2)  // so that both threads take part
      std::this_thread::yield();
  };
  pool.run(8, body, &context);
  CHECK_FALSE(context.terminates);
  CHECK(context.faults);
}

// The thread sanitizer cannot follow a child that starts threads.
#if !KILN_THREAD_SANITIZER
TEST_CASE("A child of fork makes its own pool") {
  Tally before(32, ThreadPool::shared().workers());
  ThreadPool::shared().run(32, Tally::body, &before);
  REQUIRE(before.each_once());
  const pid_t child = fork();
  if (child == 0) {
    Tally tally(32, ThreadPool::shared().workers());
    ThreadPool::shared().run(32, Tally::body, &tally);
    _exit(tally.each_once() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  Tally after(32, ThreadPool::shared().workers());
  ThreadPool::shared().run(32, Tally::body, &after);
  CHECK(after.each_once());
}
#endif

TEST_CASE("There is at least one usable processor, and not more than the machine has") {
  CHECK(usable_cpus() >= 1);
  CHECK(usable_cpus() <= int(std::thread::hardware_concurrency()));
}

}  // namespace
}  // namespace kiln::runtime
