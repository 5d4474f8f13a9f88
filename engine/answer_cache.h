// Answers in memory, so that a lookup seen before touches no file and takes no lock.
//
// Readers see a published snapshot; writers copy it. Bounded: when full it starts afresh, since
// everything in it can be looked up again.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "engine/lookup.h"

namespace kiln::engine {

// What is known about one problem key on one device.
struct Known {
  Answer tuned;            // the winner, stale or not
  Answer transferred;      // a similar problem's
  Answer fallback;         // the default
  int64_t job_id = 0;      // tuning it, 0: none
  bool job_tried = false;  // background tuning was queued once: a failure is not repeated
};

class AnswerCache {
 public:
  explicit AnswerCache(size_t capacity = 4096) : capacity_(capacity), snapshot_(empty()) {}

  // Null when nothing is known.
  std::shared_ptr<const Known> find(const std::string& key) const;
  // Changes one entry, made when missing.
  void update(const std::string& key, const std::function<void(Known&)>& change);
  // Changes every entry.
  void update_all(const std::function<void(Known&)>& change);

  // Larger after every change than before it; never 0.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

 private:
  using Map = absl::flat_hash_map<std::string, std::shared_ptr<const Known>>;
  static std::shared_ptr<const Map> empty() { return std::make_shared<const Map>(); }

  const size_t capacity_;
  std::mutex write_mutex_;
  std::atomic<std::shared_ptr<const Map>> snapshot_;
  std::atomic<uint64_t> generation_ = 1;
};

}  // namespace kiln::engine
