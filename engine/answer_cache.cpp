#include "engine/answer_cache.h"

#include <utility>

namespace kiln::engine {

std::shared_ptr<const Known> AnswerCache::find(const std::string& key) const {
  const std::shared_ptr<const Map> map = snapshot_.load(std::memory_order_acquire);
  const auto found = map->find(key);
  return found == map->end() ? nullptr : found->second;
}

void AnswerCache::update(const std::string& key, const std::function<void(Known&)>& change) {
  std::lock_guard lock(write_mutex_);
  const std::shared_ptr<const Map> before = snapshot_.load(std::memory_order_acquire);
  auto after = std::make_shared<Map>();
  if (before->size() < capacity_ || before->contains(key)) *after = *before;
  auto& entry = (*after)[key];
  auto known = entry == nullptr ? std::make_shared<Known>() : std::make_shared<Known>(*entry);
  change(*known);
  entry = std::move(known);
  snapshot_.store(std::move(after), std::memory_order_release);
  generation_.fetch_add(1, std::memory_order_release);
}

void AnswerCache::update_all(const std::function<void(Known&)>& change) {
  std::lock_guard lock(write_mutex_);
  auto after = std::make_shared<Map>(*snapshot_.load(std::memory_order_acquire));
  for (auto& [key, entry] : *after) {
    auto known = std::make_shared<Known>(*entry);
    change(*known);
    entry = std::move(known);
  }
  snapshot_.store(std::move(after), std::memory_order_release);
  generation_.fetch_add(1, std::memory_order_release);
}

}  // namespace kiln::engine
