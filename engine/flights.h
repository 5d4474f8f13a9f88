// Work that several callers want at once is done by the first; the others get its result.
//
// Results live as long as somebody waits: keeping them is a cache's affair. Thread-safe.

#pragma once

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace kiln::engine {

template <class Result>
class Flights {
 public:
  // Runs `work` unless a call with the same key is under way; then waits for that one's result.
  template <class Work>
  Result run(const std::string& key, Work work) {
    std::promise<Result> promise;
    std::shared_future<Result> result;
    bool first = false;
    {
      std::lock_guard lock(mutex_);
      auto [flight, inserted] = under_way_.try_emplace(key);
      if (inserted) flight->second = promise.get_future().share();
      result = flight->second;
      first = inserted;
    }
    if (!first) return result.get();
    promise.set_value(work());
    std::lock_guard lock(mutex_);
    under_way_.erase(key);
    return result.get();
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_future<Result>> under_way_;
};

}  // namespace kiln::engine
