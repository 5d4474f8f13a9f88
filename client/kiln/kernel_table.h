// The in-process cache: a hash table that is read without locks.
//
// find() takes no lock, waits for nobody and works in a forked child. put() calls must not overlap.
// What was put is kept until the table goes, also when it was replaced: a replaced kernel is few
// (a stand-in gives way to its winner once or twice), and readers need no protocol.

#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "client/kiln/kernel_key.h"
#include "client/kiln/served_kernel.h"

namespace kiln {

class KernelTable {
 public:
  // Beyond `limit` kernels, put() of a new key does nothing: the kernel is fetched each time.
  explicit KernelTable(size_t limit = 1 << 16);
  ~KernelTable();
  KernelTable(const KernelTable&) = delete;
  KernelTable& operator=(const KernelTable&) = delete;

  // Null when absent.
  std::shared_ptr<const ServedKernel> find(const KernelKey& key) const;

  // Adds or replaces.
  void put(const KernelKey& key, std::shared_ptr<const ServedKernel> kernel);

  size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  struct Entry {
    KernelKey key;
    std::shared_ptr<const ServedKernel> kernel;
  };
  struct Slots {
    explicit Slots(size_t capacity) : mask(capacity - 1), entries(capacity) {}
    const size_t mask;
    std::vector<std::atomic<const Entry*>> entries;
  };
  // The slot of `key`, or the empty one where it belongs.
  static std::atomic<const Entry*>& slot_of(Slots& slots, const KernelKey& key);
  void grow();

  const size_t limit_;
  std::atomic<Slots*> slots_;
  std::atomic<size_t> size_ = 0;
  // Owners of everything that was ever published.
  std::vector<std::unique_ptr<Slots>> all_slots_;
  std::vector<std::unique_ptr<const Entry>> all_entries_;
};

}  // namespace kiln
