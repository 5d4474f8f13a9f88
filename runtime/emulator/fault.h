// What the emulator finds wrong with a kernel, and where.

#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "core/status.h"
#include "runtime/emulator/abi.h"

namespace kiln::runtime::emulator {

struct Fault {
  enum class Kind : uint8_t {
    kOutOfBounds,     // global memory outside the arguments, scratchpad outside the block's
    kMisaligned,      // an address that is no multiple of the access
    kReadOnly,        // a write to an input
    kUninitialised,   // scratchpad never written, or dead since a barrier
    kRace,            // two threads, no barrier between them, and one writes
    kScattered,       // a direct copy whose lanes do not write side by side
    kInFlight,        // bytes of an asynchronous copy that has not been waited for
    kUnfenced,        // a product of what no fence has made visible to it, or of registers
    kDivergence,      // a collective operation that not all of its threads reach
    kBadMap,          // a bulk copy by what is no tensor map, or not the one that is meant
    kScratchpadSize,  // a plan that gives less scratchpad than the kernel needs
  };
  Kind kind;
  std::string detail;  // "store of 16 bytes at 4096 of scratchpad, of which there are 4096"
  KilnPlace kernel;    // line of the kernel
  KilnPlace lowering;  // line of the lowering
  int thread = 0;
  std::array<int64_t, 3> block = {};

  std::string text() const;
};

std::string_view name_of(Fault::Kind kind);

// Faults of one launch. Thread-safe. Keeps the first of each kind and place, counts all.
class FaultLog {
 public:
  void add(Fault fault);
  bool empty() const;
  // OK, or FAILED_PRECONDITION with the seed, the number of faults and the first of them.
  Status status(uint64_t seed) const;
  std::vector<Fault> faults() const;

 private:
  static constexpr size_t kMostKept = 8;
  mutable std::mutex mutex_;
  std::vector<Fault> kept_;  // guarded by mutex_
  int64_t count_ = 0;        // guarded by mutex_
};

}  // namespace kiln::runtime::emulator
