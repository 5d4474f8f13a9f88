// A block's scratchpad with its shadow: for every byte who wrote and read it last, between which
// barriers, and whether it holds anything.
//
// Two accesses of different threads are ordered by a block barrier between them, within a warp by
// any operation that all its lanes take part in, or by what other barriers tell (clocks.h). An
// asynchronous copy owns its bytes from issue until its thread has waited for it. Times are counted
// in epochs that never come again, so that nothing has to be cleared between blocks.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/emulator/clocks.h"
#include "runtime/emulator/fault.h"

namespace kiln::runtime::emulator {

class Scratchpad {
 public:
  // Who accesses: a thread, the number of barriers its block and its warp have passed.
  struct Access {
    int thread;
    int warp;
    uint32_t block_epoch;
    uint32_t warp_epoch;
    const Clocks* clocks;
  };
  struct Finding {
    Fault::Kind kind;
    std::string detail;
  };
  enum class Use : uint8_t { kLoad, kStore, kCopy, kAtomic, kPeek, kProduct };

  static constexpr uint32_t kProductBytes = 16;  // that a product reads at a time

  // Forgets everything.
  void start_block(uint32_t bytes);

  uint32_t size() const { return uint32_t(bytes_.size()); }
  char* at(uint32_t offset) { return bytes_.data() + offset; }

  // Checks an access and takes it down. With a finding the access must not be made. A kCopy is
  // taken down as in flight until land(). An `ordered` load is one of a collective operation: it
  // and the loads of other lanes are ordered among themselves.
  bool record(Use use, uint32_t offset, uint32_t bytes, const Access& by, Finding& finding);

  // As record(), for 16 bytes that a product reads, which owns them until each of its warps, given
  // by one thread, has waited for it (end_product).
  bool begin_product(uint32_t offset, std::span<const Access> warps, Finding& finding);
  void end_product(uint32_t offset, const Access& by);
  // What the thread has written so far, and what it knows that others have, is visible to its
  // products; its own to those of whoever knows of it, too.
  void fence(int thread, const Clocks& clocks);

  // A copy's bytes are there.
  void land(uint32_t offset, uint32_t bytes, const Access& by);
  // The same of a bulk copy, which products see without a fence.
  void land_box(uint32_t offset, uint32_t bytes, int span, const Access& by);
  // The span of the swizzle by which a bulk copy brought what is there; nullopt: no copy did.
  std::optional<int> span_of_box(uint32_t offset) const;
  uint32_t fences_of(int thread) const;
  // What is there is dead.
  void retire(uint32_t offset, uint32_t bytes);

 private:
  static constexpr int16_t kNobody = -1, kNoBox = -1;
  struct Shadow {
    uint32_t life = 0;  // block in which it was initialised
    uint32_t write_epoch = 0, read_epoch = 0, atomic_epoch = 0;
    uint32_t write_warp_epoch = 0, read_warp_epoch = 0;
    Clocks::Time write_time = 0, read_time = 0;
    int16_t writer = kNobody, reader = kNobody, atomic = kNobody;
    int16_t writer_warp = kNobody, reader_warp = kNobody;
    bool several_warps = false;  // have read in read_epoch
    bool several_lanes = false;  // have read in read_epoch and read_warp_epoch
    bool in_flight = false;
    uint8_t products = 0;         // warps whose product reads it
    uint32_t written_fences = 0;  // that the writer had made
    int16_t span = kNoBox;        // of the swizzle of a bulk copy that wrote it
  };

  // By products that have ended, of a piece of 16 bytes since it was written.
  struct Reader {
    int thread;
    uint32_t block_epoch;
    Clocks::Time time;
  };

  bool written_by_other(const Shadow& s, const Access& by) const;
  bool read_by_other(const Shadow& s, const Access& by) const;
  // By the product of another thread, or null.
  const Reader* product_of_other(uint32_t offset, const Access& by) const;
  bool visible(const Shadow& s, const Access& by) const;
  bool conflict(Use use, const Shadow& s, uint32_t offset, const Access& by,
                Finding& finding) const;
  static void note_read(Shadow& s, const Access& by);
  void note_write(Shadow& s, const Access& by) const;

  std::vector<char> bytes_;
  std::vector<Shadow> shadow_;
  std::vector<std::vector<Reader>> readers_;  // by piece
  std::vector<uint32_t> fences_;              // by thread
  std::vector<Clocks::Knowledge> fenced_;     // by thread: what its last fence covers
  uint32_t life_ = 0;
};

}  // namespace kiln::runtime::emulator
