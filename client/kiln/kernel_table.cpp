#include "client/kiln/kernel_table.h"

namespace kiln {
namespace {

constexpr size_t kFirstCapacity = 256;  // a power of two

}  // namespace

KernelTable::KernelTable(size_t limit) : limit_(limit) {
  all_slots_.push_back(std::make_unique<Slots>(kFirstCapacity));
  slots_ = all_slots_.back().get();
}

KernelTable::~KernelTable() = default;

std::atomic<const KernelTable::Entry*>& KernelTable::slot_of(Slots& slots, const KernelKey& key) {
  for (size_t at = key.hash & slots.mask;; at = (at + 1) & slots.mask) {
    const Entry* entry = slots.entries[at].load(std::memory_order_acquire);
    if (entry == nullptr || entry->key == key) return slots.entries[at];
  }
}

std::shared_ptr<const ServedKernel> KernelTable::find(const KernelKey& key) const {
  const Entry* entry =
      slot_of(*slots_.load(std::memory_order_acquire), key).load(std::memory_order_acquire);
  return entry == nullptr ? nullptr : entry->kernel;
}

void KernelTable::put(const KernelKey& key, std::shared_ptr<const ServedKernel> kernel) {
  std::atomic<const Entry*>* slot = &slot_of(*slots_, key);
  const bool added = slot->load(std::memory_order_relaxed) == nullptr;
  if (added) {
    if (size() >= limit_) return;
    // At most half full, so that a miss ends its search soon.
    if (2 * (size() + 1) > slots_.load(std::memory_order_relaxed)->entries.size()) {
      grow();
      slot = &slot_of(*slots_, key);
    }
  }
  all_entries_.push_back(std::make_unique<Entry>(Entry{key, std::move(kernel)}));
  slot->store(all_entries_.back().get(), std::memory_order_release);
  if (added) size_.fetch_add(1, std::memory_order_relaxed);
}

void KernelTable::grow() {
  Slots& old = *slots_.load(std::memory_order_relaxed);
  auto larger = std::make_unique<Slots>(2 * old.entries.size());
  for (const std::atomic<const Entry*>& slot : old.entries) {
    const Entry* entry = slot.load(std::memory_order_relaxed);
    if (entry) slot_of(*larger, entry->key).store(entry, std::memory_order_relaxed);
  }
  slots_.store(larger.get(), std::memory_order_release);
  all_slots_.push_back(std::move(larger));
}

}  // namespace kiln
