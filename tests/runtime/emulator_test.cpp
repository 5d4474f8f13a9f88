// What the emulator reports, told by small bodies that call it as artifacts do.

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "runtime/emulator/emulation.h"

namespace kiln::runtime::emulator {
namespace {

using Catch::Contains;

constexpr int kThreads = 64, kLanes = 32;
constexpr KilnPlace kHere{"here.h", 1};

using Body = void (*)(const KilnU64*, KilnEmulatorThread*);

// Runs `blocks` blocks of two warps on 1 KiB of scratchpad.
Status run(Body body, std::vector<GlobalTensor> tensors = {}, uint64_t seed = 1,
           int64_t blocks = 1) {
  std::vector<KilnU64> slots;
  for (const GlobalTensor& tensor : tensors)
    slots.push_back(reinterpret_cast<KilnU64>(tensor.first));
  Emulation emulation(std::move(tensors), {kThreads, 1024}, seed);
  const KilnEmulatorBody description{body, kThreads, kLanes, 1024};
  const KilnHostLaunch launch{slots.data(), {blocks, 1, 1}, emulation.api()};
  emulation.api()->run(&launch, &description, 0, blocks);
  return emulation.status();
}

void store(KilnEmulatorThread* t, KilnU32 at, int value) {
  t->api->store_shared(t, at, &value, sizeof value, kHere);
}
int load(KilnEmulatorThread* t, KilnU32 at) {
  int value = 0;
  t->api->load_shared(t, &value, at, sizeof value, kHere);
  return value;
}
void barrier(KilnEmulatorThread* t) {
  t->api->barrier(t, kKilnEmulatorBlock, kHere);
}
KilnU32 own(const KilnEmulatorThread* t) {
  return KilnU32(4 * t->thread);
}
KilnU32 next(const KilnEmulatorThread* t) {
  return KilnU32(4 * ((t->thread + 1) % kThreads));
}

void check(const Status& status, const std::string& report) {
  INFO(status);
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(status.message()), Contains(report) && Contains("here.h:1"));
}

TEST_CASE("Threads meet at barriers and see what others wrote before") {
  std::vector<int> out(kThreads);
  const Status status = run(
      [](const KilnU64* slots, KilnEmulatorThread* t) {
        store(t, own(t), t->thread);
        barrier(t);
        const int value = load(t, next(t));
        auto* to = reinterpret_cast<int*>(slots[0]) + t->thread;
        t->api->store_global(t, to, &value, sizeof value, kHere);
      },
      {{"out", reinterpret_cast<char*>(out.data()), 4, {kThreads}, {1}, true}});
  INFO(status);
  CHECK(status.ok());
  for (int i = 0; i < kThreads; ++i)
    CHECK(out[size_t(i)] == (i + 1) % kThreads);
}

TEST_CASE("Accesses without a barrier between them are races, whichever thread comes first") {
  for (uint64_t seed : {1, 2, 3, 4}) {
    check(run(
              [](const KilnU64*, KilnEmulatorThread* t) {
                store(t, own(t), 1);
                barrier(t);
                store(t, next(t), 2);
                load(t, own(t));
              },
              {}, seed),
          "race");
  }
}

TEST_CASE("Operations of a warp order its lanes, not those of others") {
  const auto exchange = [](const KilnU64*, KilnEmulatorThread* t) {
    store(t, own(t), t->lane);
    t->api->shuffle_xor(t, 0, 1, kHere);
    load(t, KilnU32(4 * (t->thread ^ 1)));
  };
  CHECK(run(exchange).ok());
  check(run([](const KilnU64*, KilnEmulatorThread* t) {
          store(t, own(t), t->lane);
          t->api->shuffle_xor(t, 0, 1, kHere);
          load(t, KilnU32(4 * ((t->thread + kLanes) % kThreads)));
        }),
        "");
}

TEST_CASE("Scratchpad holds nothing until it is written, and nothing once it is retired") {
  check(run([](const KilnU64*, KilnEmulatorThread* t) { load(t, own(t)); }), "uninitialised");
  check(run([](const KilnU64*, KilnEmulatorThread* t) {
          store(t, own(t), 1);
          t->api->retire(t, 0, 4 * kThreads);
          barrier(t);
          load(t, own(t));
        }),
        "uninitialised");
}

TEST_CASE("Barriers that some threads miss are divergent") {
  check(run([](const KilnU64*, KilnEmulatorThread* t) {
          if (t->warp == 0) barrier(t);
        }),
        "divergence: 32 of 64 threads of the block wait at a barrier");
  check(run([](const KilnU64*, KilnEmulatorThread* t) {
          if (t->lane == 5) {
            t->api->ballot(t, 1, {"there.h", 2});
          } else {
            t->api->shuffle_xor(t, 0, 1, kHere);
          }
        }),
        "divergence");
}

TEST_CASE("A block that was given up does not disturb the next") {
  const Status status = run(
      [](const KilnU64*, KilnEmulatorThread* t) {
        if (t->block[0] != 0 || t->warp == 0) barrier(t);
      },
      {}, 1, 3);
  CHECK_THAT(std::string(status.message()), Contains("found 1 fault"));
}

TEST_CASE("Asynchronous copies land when they are waited for") {
  std::vector<int> in(4 * kThreads, 7);
  const std::vector<GlobalTensor> tensors = {
      {"in", reinterpret_cast<char*>(in.data()), 4, {4 * kThreads}, {1}, false}};
  struct Copy {
    static KilnU32 start(const KilnU64* slots, KilnEmulatorThread* t) {
      const KilnU32 at = KilnU32(16 * t->thread);
      t->api->copy_async(t, at, reinterpret_cast<const char*>(slots[0]) + at, 16, 16, kHere);
      t->api->copy_commit(t);
      return at;
    }
  };
  CHECK(run(
            [](const KilnU64* slots, KilnEmulatorThread* t) {
              const KilnU32 at = Copy::start(slots, t);
              t->api->copy_wait(t, 0);
              load(t, at);
            },
            tensors)
            .ok());
  check(run(
            [](const KilnU64* slots, KilnEmulatorThread* t) {
              const KilnU32 at = Copy::start(slots, t);
              t->api->copy_wait(t, 1);
              load(t, at);
              t->api->copy_wait(t, 0);
            },
            tensors),
        "in flight");
  const Status never =
      run([](const KilnU64* slots, KilnEmulatorThread* t) { Copy::start(slots, t); }, tensors);
  CHECK_THAT(std::string(never.message()), Contains("never waited for"));
}

TEST_CASE("Direct copies are of a whole warp, whose lanes write side by side") {
  std::vector<int> in(kThreads, 7);
  const std::vector<GlobalTensor> tensors = {
      {"in", reinterpret_cast<char*>(in.data()), 4, {kThreads}, {1}, false}};
  struct Copy {
    static void start(const KilnU64* slots, KilnEmulatorThread* t, KilnU32 to, bool present) {
      const auto* from = reinterpret_cast<const int*>(slots[0]) + t->thread;
      t->api->copy_direct(t, to, from, present, kHere);
      t->api->copy_commit(t);
    }
  };
  CHECK(run(
            [](const KilnU64* slots, KilnEmulatorThread* t) {
              Copy::start(slots, t, own(t), t->lane != 3);
              t->api->copy_wait(t, 0);
              if (t->lane != 3) load(t, own(t));
            },
            tensors)
            .ok());
  check(run(
            [](const KilnU64* slots, KilnEmulatorThread* t) {
              Copy::start(slots, t, own(t), true);
              load(t, own(t));
              t->api->copy_wait(t, 0);
            },
            tensors),
        "in flight");
  check(run(
            [](const KilnU64* slots, KilnEmulatorThread* t) {
              Copy::start(slots, t, own(t), t->lane != 3);
              t->api->copy_wait(t, 0);
              load(t, own(t));
            },
            tensors),
        "uninitialised");
  check(run(
            [](const KilnU64* slots, KilnEmulatorThread* t) {
              Copy::start(slots, t, own(t) ^ 4, true);
              t->api->copy_wait(t, 0);
            },
            tensors),
        "scattered copy");
  check(run(
            [](const KilnU64* slots, KilnEmulatorThread* t) {
              if (t->lane != 3) Copy::start(slots, t, own(t), true);
              t->api->copy_wait(t, 0);
            },
            tensors),
        "divergence");
}

TEST_CASE("Global memory is the elements of the tensors") {
  std::vector<int> memory(64);
  const std::vector<GlobalTensor> tensors = {
      {"rows", reinterpret_cast<char*>(memory.data()), 4, {4, 5}, {8, 1}, false}};
  const auto touch = [&](Body body) { return run(body, tensors); };
  CHECK(touch([](const KilnU64* slots, KilnEmulatorThread* t) {
          int value;
          t->api->load_global(t, &value, reinterpret_cast<int*>(slots[0]) + 3 * 8 + 4, 4, kHere);
        }).ok());
  check(touch([](const KilnU64* slots, KilnEmulatorThread* t) {
          int value;
          t->api->load_global(t, &value, reinterpret_cast<int*>(slots[0]) + 5, 4, kHere);
        }),
        "out of bounds");
  check(touch([](const KilnU64* slots, KilnEmulatorThread* t) {
          int value[4];
          t->api->load_global(t, value, reinterpret_cast<int*>(slots[0]) + 2, 16, kHere);
        }),
        "misaligned");
  check(touch([](const KilnU64* slots, KilnEmulatorThread* t) {
          const int value = 1;
          t->api->store_global(t, reinterpret_cast<int*>(slots[0]), &value, 4, kHere);
        }),
        "write to an input");
}

TEST_CASE("Atomic operations may meet each other, not plain accesses") {
  CHECK(run([](const KilnU64*, KilnEmulatorThread* t) {
          if (t->thread == 0) store(t, 0, 0);
          barrier(t);
          t->api->atomic_shared(t, kKilnEmulatorAdd, 0, 1, 0, kHere);
          barrier(t);
          load(t, 0);
        }).ok());
  check(run([](const KilnU64*, KilnEmulatorThread* t) {
          if (t->thread == 0) store(t, 0, 0);
          barrier(t);
          if (t->thread == 1) load(t, 0);
          t->api->atomic_shared(t, kKilnEmulatorAdd, 0, 1, 0, kHere);
        }),
        "race");
}

constexpr KilnU32 kBarrier = 512;

// Warp 0 stores, warp 1 loads what it has stored, with `between` telling one of the other.
template <void (*Arrive)(KilnEmulatorThread*), void (*Wait)(KilnEmulatorThread*)>
Status hand_over(KilnU32 arrivals, uint64_t seed = 1) {
  static KilnU32 expected;
  expected = arrivals;
  return run(
      [](const KilnU64*, KilnEmulatorThread* t) {
        if (t->thread == 0) t->api->phase_init(t, kBarrier, expected, kHere);
        barrier(t);
        if (t->warp == 0) {
          store(t, own(t), 1);
          Arrive(t);
        } else {
          Wait(t);
          load(t, KilnU32(4 * t->lane));
        }
      },
      {}, seed);
}
void arrive(KilnEmulatorThread* t) {
  t->api->phase_arrive(t, kBarrier, 0, 0, kHere);
}
void arrive_first_lane(KilnEmulatorThread* t) {
  if (t->lane == 0) arrive(t);
}
void arrive_for_all_lanes(KilnEmulatorThread* t) {
  t->api->barrier(t, kKilnEmulatorWarp, kHere);
  arrive_first_lane(t);
}
void wait(KilnEmulatorThread* t) {
  t->api->phase_wait(t, kBarrier, 0, kHere);
}
void wait_for_phase_before(KilnEmulatorThread* t) {
  t->api->phase_wait(t, kBarrier, 1, kHere);
}

TEST_CASE("A phase orders those who arrive before those who wait for it") {
  for (uint64_t seed : {1, 2, 3, 4}) {
    CHECK(hand_over<arrive, wait>(kLanes, seed).ok());
    CHECK(hand_over<arrive_for_all_lanes, wait>(1, seed).ok());
    // One lane speaks for itself alone; a phase that has not begun orders nothing.
    check(hand_over<arrive_first_lane, wait>(1, seed), "");
    CHECK_FALSE(hand_over<arrive, wait_for_phase_before>(kLanes, seed).ok());
    check(hand_over<arrive, wait>(kLanes + 1, seed), "arrivals never come");
  }
}

TEST_CASE("Some warps meet without the others") {
  const auto body = [](const KilnU64*, KilnEmulatorThread* t) {
    store(t, own(t), 1);
    t->api->warps_barrier(t, 1, kThreads, 1, kHere);
    load(t, next(t));
  };
  CHECK(run(body).ok());
  check(run([](const KilnU64*, KilnEmulatorThread* t) {
          if (t->warp == 0) t->api->warps_barrier(t, 1, kThreads, 1, kHere);
        }),
        "the others never come");
}

TEST_CASE("Copies that arrive late land before their phase is over") {
  std::vector<int> in(kThreads * 4, 7);
  const auto status = run(
      [](const KilnU64* slots, KilnEmulatorThread* t) {
        if (t->thread == 0) t->api->phase_init(t, kBarrier, kLanes, kHere);
        barrier(t);
        if (t->warp == 0) {
          const auto* from = reinterpret_cast<const int*>(slots[0]) + 4 * t->thread;
          t->api->copy_async(t, KilnU32(16 * t->thread), from, 16, 16, kHere);
          t->api->phase_arrive_copies(t, kBarrier, kHere);
        } else {
          wait(t);
          if (load(t, KilnU32(16 * t->lane)) != 7) store(t, 4096, 0);
        }
      },
      {{"in", reinterpret_cast<char*>(in.data()), 4, {kThreads * 4}, {1}, false}});
  INFO(status);
  CHECK(status.ok());
}

TEST_CASE("A launch that the kernel was not compiled for is refused") {
  const KilnEmulatorBody body{[](const KilnU64*, KilnEmulatorThread*) {}, kThreads, kLanes, 2048};
  for (const LaunchShape& shape : {LaunchShape{kThreads, 1024}, LaunchShape{32, 2048}}) {
    Emulation emulation({}, shape, 1);
    const KilnHostLaunch launch{nullptr, {1, 1, 1}, emulation.api()};
    emulation.api()->run(&launch, &body, 0, 1);
    CHECK_FALSE(emulation.status().ok());
  }
}

}  // namespace
}  // namespace kiln::runtime::emulator
