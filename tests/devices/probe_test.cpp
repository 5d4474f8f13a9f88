#include "devices/host/probe.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "runtime/host/thread_pool.h"

namespace kiln::devices {
namespace {

using namespace std::chrono_literals;
using runtime::InstructionSet;

// No figure is demanded: the machine may be busy. Every loop runs and reports a rate.
TEST_CASE("Probes report a rate on every instruction set of this processor") {
  runtime::ThreadPool pool(2);
  std::vector<std::byte> buffer(8 << 20);
  for (InstructionSet set : {InstructionSet::kBaseline, InstructionSet::kAvx2,
                             InstructionSet::kAvx512, InstructionSet::kAvx512Bf16}) {
    if (!can_run(set)) continue;
    INFO(name_of(set));
    Probe probe(set, buffer);
    CHECK(probe.fma(pool, 2ms) > 0);
    CHECK((probe.bf16_dot(pool, 2ms) > 0) == (set == InstructionSet::kAvx512Bf16));
    CHECK(probe.read(pool, 2ms) > 0);
    CHECK(probe.copy(pool, 2ms) > 0);
  }
}

TEST_CASE("A copy probe copies the first half of its buffer to the second") {
  runtime::ThreadPool pool(1);
  alignas(4096) static std::byte buffer[1 << 20];
  for (size_t i = 0; i < sizeof buffer; ++i)
    buffer[i] = std::byte(i % 251);
  Probe probe(runtime::best_instruction_set(), buffer);
  probe.copy(pool, 5ms);
  CHECK(std::equal(buffer, buffer + (256 << 10), buffer + (512 << 10)));
}

TEST_CASE("A buffer too small to stream through gives no rate instead of a wrong one") {
  runtime::ThreadPool pool(2);
  std::vector<std::byte> buffer(10000);
  Probe probe(InstructionSet::kBaseline, buffer);
  CHECK(probe.read(pool, 1ms) == 0);
  CHECK(probe.copy(pool, 1ms) == 0);
  CHECK(Probe(InstructionSet::kBaseline, {}).read(pool, 1ms) == 0);
}

}  // namespace
}  // namespace kiln::devices
