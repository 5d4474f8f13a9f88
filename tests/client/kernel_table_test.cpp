#include "client/kiln/kernel_table.h"

#include <catch2/catch.hpp>
#include <thread>

namespace kiln {
namespace {

KernelKey key_of(int64_t size) {
  KernelKey key;
  key.group = 3;
  key.count = 2;
  key.sizes = {size, 7};
  key.update_hash();
  return key;
}

std::shared_ptr<const ServedKernel> kernel(int64_t id) {
  auto kernel = std::make_shared<ServedKernel>();
  kernel->provenance.winner_id = id;
  return kernel;
}

TEST_CASE("what was put is found, through growth; what was not is absent") {
  KernelTable table;
  constexpr int64_t kKernels = 5000;
  for (int64_t i = 0; i < kKernels; ++i)
    table.put(key_of(i), kernel(i));
  CHECK(table.size() == size_t(kKernels));
  for (int64_t i = 0; i < kKernels; ++i) {
    REQUIRE(table.find(key_of(i)));
    REQUIRE(table.find(key_of(i))->provenance.winner_id == i);
  }
  CHECK(table.find(key_of(kKernels)) == nullptr);
  KernelKey other = key_of(1);
  other.group = 4;
  other.update_hash();
  CHECK(table.find(other) == nullptr);
}

TEST_CASE("a replaced kernel stays valid for who holds it") {
  KernelTable table;
  table.put(key_of(1), kernel(1));
  const auto held = table.find(key_of(1));
  table.put(key_of(1), kernel(2));
  CHECK(table.size() == 1);
  CHECK(table.find(key_of(1))->provenance.winner_id == 2);
  CHECK(held->provenance.winner_id == 1);
}

TEST_CASE("a full table refuses new keys and takes replacements") {
  KernelTable table(2);
  for (int64_t i = 0; i < 3; ++i)
    table.put(key_of(i), kernel(i));
  CHECK(table.find(key_of(2)) == nullptr);
  table.put(key_of(1), kernel(9));
  CHECK(table.find(key_of(1))->provenance.winner_id == 9);
}

TEST_CASE("readers see whole entries while a writer adds and replaces") {
  KernelTable table;
  std::atomic<bool> done = false;
  std::atomic<int64_t> seen = 0;
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      int64_t last = 0;
      while (!done) {
        if (const auto found = table.find(key_of(0))) {
          if (found->provenance.winner_id < last) std::abort();
          last = found->provenance.winner_id;
          ++seen;
        }
      }
    });
  }
  for (int64_t i = 0; i < 20'000; ++i) {
    table.put(key_of(0), kernel(i));
    if (i % 16 == 0) table.put(key_of(i), kernel(i));
  }
  while (seen == 0)
    std::this_thread::yield();
  done = true;
  for (std::thread& reader : readers)
    reader.join();
  CHECK(table.find(key_of(0))->provenance.winner_id == 19'999);
}

}  // namespace
}  // namespace kiln
