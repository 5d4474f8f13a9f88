#include "tuner/turns.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace kiln::tuner {

using namespace std::chrono_literals;

namespace {

class Queue {
 public:
  // A caller that waits for its turn and notes its name when it has it.
  void arrive(Urgency urgency, int name) {
    callers_.emplace_back([this, urgency, name] {
      const auto turn = turns.take(urgency, {});
      const std::lock_guard lock(mutex_);
      order_.push_back(name);
    });
    std::this_thread::sleep_for(30ms);  // so that arrivals have an order
  }
  std::vector<int> finish() {
    for (auto& caller : callers_)
      caller.join();
    return order_;
  }

  Turns turns;

 private:
  std::vector<std::jthread> callers_;
  std::mutex mutex_;
  std::vector<int> order_;
};

}  // namespace

TEST_CASE("the more urgent go first, equals in the order they came") {
  Queue queue;
  {
    const auto turn = queue.turns.take(Urgency::kBackground, {});
    REQUIRE(turn.ok());
    queue.arrive(Urgency::kBackground, 1);
    queue.arrive(Urgency::kForeground, 2);
    queue.arrive(Urgency::kForeground, 3);
    queue.arrive(Urgency::kCheck, 4);
  }
  CHECK(queue.finish() == std::vector{4, 2, 3, 1});
}

TEST_CASE("who yields lets only the more urgent go first") {
  Queue queue;
  {
    auto turn = queue.turns.take(Urgency::kForeground, {});
    REQUIRE(turn.ok());
    queue.arrive(Urgency::kForeground, 1);
    REQUIRE(turn->yield({}).ok());  // nobody
    queue.arrive(Urgency::kCheck, 2);
    REQUIRE(turn->yield({}).ok());
  }
  CHECK(queue.finish() == std::vector{2, 1});
}

TEST_CASE("checks may borrow the turn of who lends it, others not") {
  Queue queue;
  std::atomic<bool> reclaimed = false;
  {
    auto turn = queue.turns.take(Urgency::kBackground, {});
    REQUIRE(turn.ok());
    queue.arrive(Urgency::kForeground, 1);
    turn->lend();
    auto check = std::make_unique<StatusOr<Turn>>(queue.turns.take(Urgency::kCheck, {}));
    REQUIRE(check->ok());
    std::jthread borrower([&] {
      std::this_thread::sleep_for(50ms);
      CHECK_FALSE(reclaimed);
      check.reset();
    });
    turn->reclaim();
    reclaimed = true;
    queue.arrive(Urgency::kCheck, 2);  // too late to borrow
  }
  CHECK(queue.finish() == std::vector{2, 1});
}

TEST_CASE("waiting ends when stopped and blocks nobody afterwards") {
  Turns turns;
  std::optional<StatusOr<Turn>> first(turns.take(Urgency::kForeground, {}));
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  CHECK(absl::IsCancelled(turns.take(Urgency::kCheck, stop.get_token()).status()));
  first.reset();
  CHECK(turns.take(Urgency::kBackground, {}).ok());
}

}  // namespace kiln::tuner
