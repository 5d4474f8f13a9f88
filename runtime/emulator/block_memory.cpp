// Block's calls that touch memory, and matrix instructions.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "runtime/emulator/block.h"
#include "runtime/emulator/matrix.h"

namespace kiln::runtime::emulator {

Scratchpad::Access Block::access_of(const Thread& t) const {
  return {t.thread, t.warp, all_.epoch, warps_[size_t(t.warp)].epoch, &clocks_};
}

bool Block::check_global(const Thread& t, const void* address, uint32_t bytes, uint32_t alignment,
                         bool write, KilnPlace place) {
  const char* verb = write ? "store" : "load";
  if (uintptr_t(address) % alignment != 0) {
    report(t, Fault::Kind::kMisaligned,
           fmt::format("{} of {} bytes at address 0x{:x}", verb, bytes, uintptr_t(address)), place);
    return false;
  }
  using Kind = GlobalMemory::Verdict::Kind;
  const GlobalMemory::Verdict verdict = work_.global->check(address, bytes, write);
  if (verdict.kind == Kind::kFine) return true;
  report(t, verdict.kind == Kind::kOutside ? Fault::Kind::kOutOfBounds : Fault::Kind::kReadOnly,
         fmt::format("{} of {} bytes of global memory, {}", verb, bytes, verdict.detail), place);
  return false;
}

bool Block::check_shared(const Thread& t, Scratchpad::Use use, uint32_t offset, uint32_t bytes,
                         KilnPlace place) {
  Scratchpad::Finding finding{};
  if (scratchpad_.record(use, offset, bytes, access_of(t), finding)) return true;
  report(t, finding.kind, std::move(finding.detail), place);
  return false;
}

void Block::load_global(Thread& t, void* value, const void* from, uint32_t bytes, KilnPlace place) {
  if (check_global(t, from, bytes, bytes, false, place)) {
    std::memcpy(value, from, bytes);
  } else {
    std::memset(value, 0, bytes);
  }
}

void Block::store_global(Thread& t, void* to, const void* value, uint32_t bytes, KilnPlace place) {
  if (check_global(t, to, bytes, bytes, true, place)) std::memcpy(to, value, bytes);
}

void Block::load_shared(Thread& t, void* value, uint32_t from, uint32_t bytes, KilnPlace place) {
  if (check_shared(t, Scratchpad::Use::kLoad, from, bytes, place)) {
    std::memcpy(value, scratchpad_.at(from), bytes);
  } else {
    std::memset(value, 0, bytes);
  }
}

void Block::store_shared(Thread& t, uint32_t to, const void* value, uint32_t bytes,
                         KilnPlace place) {
  if (check_shared(t, Scratchpad::Use::kStore, to, bytes, place)) {
    std::memcpy(scratchpad_.at(to), value, bytes);
  }
}

// The bytes are read now and land when they must: at the wait.
void Block::copy_async(Thread& t, uint32_t to, const void* from, uint32_t bytes, uint32_t present,
                       KilnPlace place) {
  Copy copy{.to = to, .size = bytes, .bytes = {}, .group = t.group};
  if (present > 0 && check_global(t, from, present, bytes, false, place)) {
    std::memcpy(copy.bytes.data(), from, present);
  }
  if (check_shared(t, Scratchpad::Use::kCopy, to, bytes, place)) t.copies.push_back(copy);
}

void Block::copy_direct(Thread& t, uint32_t to, const void* from, bool present, KilnPlace place) {
  constexpr uint32_t kBytes = 4;
  struct Share {
    uint32_t to;
    bool present;
  } share{to, present};
  meet(warp_of(t), t.lane, t, Together::kCopy, place, &share, [&](std::span<void* const> all) {
    std::optional<uint32_t> base;
    for (size_t lane = 0; lane < all.size(); ++lane) {
      const Share& each = *static_cast<Share*>(all[lane]);
      if (!each.present) continue;
      const uint32_t own = each.to - kBytes * uint32_t(lane);
      if (base.value_or(own) != own) {
        report(t, Fault::Kind::kScattered,
               fmt::format("lane {} writes byte {} of scratchpad, where {} follows from the first",
                           lane, each.to, *base + kBytes * uint32_t(lane)),
               place);
        break;
      }
      base = own;
    }
  });
  if (present) copy_async(t, to, from, kBytes, kBytes, place);
}

void Block::copy_wait(Thread& t, uint32_t groups_in_flight) {
  std::erase_if(t.copies, [&](const Copy& copy) {
    if (copy.group + groups_in_flight >= t.group) return false;
    land(t, copy);
    return true;
  });
}

void Block::land(Thread& t, const Copy& copy) {
  std::memcpy(scratchpad_.at(copy.to), copy.bytes.data(), copy.size);
  scratchpad_.land(copy.to, copy.size, access_of(t));
}

void Block::may_yield(Thread& t) {
  if (random_() % 4 != 0) return;
  ready_.push_back(&t);
  t.fibre.suspend();
}

uint32_t Block::atomic_shared(Thread& t, KilnEmulatorAtomic operation, uint32_t at,
                              uint32_t operand, uint32_t expected, KilnPlace place) {
  const bool peek = operation == kKilnEmulatorPeek;
  uint32_t before = 0;
  if (check_shared(t, peek ? Scratchpad::Use::kPeek : Scratchpad::Use::kAtomic, at, sizeof before,
                   place)) {
    char* word = scratchpad_.at(at);
    std::memcpy(&before, word, sizeof before);
    const bool swaps = operation == kKilnEmulatorCompareAndSwap && before == expected;
    const uint32_t after = operation == kKilnEmulatorAdd ? before + operand
                           : swaps                       ? operand
                                                         : before;
    std::memcpy(word, &after, sizeof after);
  }
  may_yield(t);
  return before;
}

int Block::atomic_add_global(Thread& t, int* at, int operand, KilnPlace place) {
  const int before = check_global(t, at, sizeof *at, sizeof *at, true, place)
                         ? __atomic_fetch_add(at, operand, __ATOMIC_RELAXED)
                         : 0;
  may_yield(t);
  return before;
}

void Block::load_matrices(Thread& t, uint32_t* registers, uint32_t from, bool transposed,
                          KilnPlace place) {
  struct Share {
    uint32_t* registers;
    const char* row;
  };
  static constexpr char kNothing[16] = {};
  const bool good = check_shared(t, Scratchpad::Use::kLoad, from, sizeof kNothing, place);
  Share share{registers, good ? scratchpad_.at(from) : kNothing};
  meet(warp_of(t), t.lane, t, Together::kLoadMatrices, place, &share,
       [&](std::span<void* const> all) {
         std::vector<const char*> rows;
         std::vector<uint32_t*> to;
         for (void* each : all) {
           rows.push_back(static_cast<Share*>(each)->row);
           to.push_back(static_cast<Share*>(each)->registers);
         }
         spread_matrices(rows, transposed, to);
       });
}

void Block::multiply(Thread& t, KilnEmulatorInstruction instruction, KilnEmulatorType type,
                     float* sums, const uint32_t* left, const uint32_t* right, KilnPlace place) {
  MatrixOperands own{sums, left, right};
  meet(warp_of(t), t.lane, t, Together::kMultiply, place, &own, [&](std::span<void* const> all) {
    std::vector<MatrixOperands> lanes;
    for (void* each : all)
      lanes.push_back(*static_cast<MatrixOperands*>(each));
    emulator::multiply(instruction, type, lanes);
  });
}

}  // namespace kiln::runtime::emulator
