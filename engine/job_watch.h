// Subscriptions to jobs: who watches is told of changes, ten times a second at most.
//
// One thread makes all calls. Thread-safe.

#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/engine.h"

namespace kiln::engine {

class JobWatch {
 public:
  using Observer = std::function<void(const JobView&, bool last)>;

  JobWatch();
  ~JobWatch();  // pending calls are dropped

  // Calls `observer` with `now`, later with what publish() brings, until `last`. Destroying the
  // handle ends the subscription after a call under way (from within a call: at once).
  std::shared_ptr<void> add(const JobView& now, bool last, Observer observer);
  // Is anybody watching? Saves making views for nobody.
  bool watched(int64_t job_id) const;
  void publish(const JobView& view, bool last);

 private:
  struct Subscription;
  struct State;
  static void deliver(const std::shared_ptr<State>& state, const std::stop_token& stop);

  std::shared_ptr<State> state_;  // shared with handles, which may outlive this object
  std::jthread thread_;
};

}  // namespace kiln::engine
