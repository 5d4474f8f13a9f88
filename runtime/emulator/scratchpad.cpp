#include "runtime/emulator/scratchpad.h"

#include <fmt/format.h>

#include <algorithm>

namespace kiln::runtime::emulator {
namespace {

constexpr char kGarbage = char(0xcd);

const char* verb_of(Scratchpad::Use use) {
  switch (use) {
    case Scratchpad::Use::kLoad:
      return "load";
    case Scratchpad::Use::kStore:
      return "store";
    case Scratchpad::Use::kCopy:
      return "asynchronous copy";
    case Scratchpad::Use::kAtomic:
      return "atomic operation";
    case Scratchpad::Use::kPeek:
      return "peek";
    case Scratchpad::Use::kProduct:
      return "product";
  }
  return "access";
}

}  // namespace

void Scratchpad::start_block(uint32_t bytes) {
  ++life_;
  bytes_.assign(bytes, kGarbage);
  if (shadow_.size() < bytes) shadow_.resize(bytes);
  // Threads are numbered alike in every block, and epochs go on, so only copies have to be
  // forgotten.
  for (Shadow& s : shadow_) {
    s.in_flight = false;
    s.products = 0;
  }
  fences_.clear();
  fenced_.clear();
  readers_.assign(bytes / kProductBytes + 1, {});
}

bool Scratchpad::written_by_other(const Shadow& s, const Access& by) const {
  return s.writer != kNobody && s.writer != by.thread && s.write_epoch == by.block_epoch &&
         (s.writer_warp != by.warp || s.write_warp_epoch == by.warp_epoch) &&
         !by.clocks->knows(by.thread, s.writer, s.write_time);
}

bool Scratchpad::read_by_other(const Shadow& s, const Access& by) const {
  if (s.reader == kNobody || s.read_epoch != by.block_epoch) return false;
  const bool several = s.several_warps || s.several_lanes;
  if (!several && by.clocks->knows(by.thread, s.reader, s.read_time)) return false;
  if (s.several_warps || s.reader_warp != by.warp) return true;
  return s.read_warp_epoch == by.warp_epoch && (s.several_lanes || s.reader != by.thread);
}

void Scratchpad::note_read(Shadow& s, const Access& by) {
  const bool same_epoch = s.reader != kNobody && s.read_epoch == by.block_epoch;
  const bool same_warp = same_epoch && s.reader_warp == by.warp;
  const bool same_warp_epoch = same_warp && s.read_warp_epoch == by.warp_epoch;
  s.several_warps = same_epoch && (s.several_warps || !same_warp);
  s.several_lanes = same_warp_epoch && (s.several_lanes || s.reader != by.thread);
  s.reader = int16_t(by.thread);
  s.reader_warp = int16_t(by.warp);
  s.read_epoch = by.block_epoch;
  s.read_warp_epoch = by.warp_epoch;
  s.read_time = by.clocks->now(by.thread);
}

void Scratchpad::note_write(Shadow& s, const Access& by) const {
  s.writer = int16_t(by.thread);
  s.writer_warp = int16_t(by.warp);
  s.write_epoch = by.block_epoch;
  s.write_warp_epoch = by.warp_epoch;
  s.write_time = by.clocks->now(by.thread);
  s.written_fences = fences_of(by.thread);
  s.span = kNoBox;
}

uint32_t Scratchpad::fences_of(int thread) const {
  return size_t(thread) < fences_.size() ? fences_[size_t(thread)] : 0;
}

void Scratchpad::fence(int thread, const Clocks& clocks) {
  const size_t t = size_t(thread);
  if (fences_.size() <= t) {
    fences_.resize(t + 1);
    fenced_.resize(t + 1);
  }
  ++fences_[t];
  if (clocks.on()) fenced_[t] = clocks.known_to(thread);
}

bool Scratchpad::visible(const Shadow& s, const Access& by) const {
  if (s.span != kNoBox) return true;
  if (fences_of(s.writer) > s.written_fences) return true;
  if (fences_of(by.thread) == 0) return false;
  const Clocks::Knowledge& fenced = fenced_[size_t(by.thread)];
  return size_t(s.writer) < fenced.size() && fenced[size_t(s.writer)] >= s.write_time;
}

const Scratchpad::Reader* Scratchpad::product_of_other(uint32_t offset, const Access& by) const {
  for (const Reader& reader : readers_[offset / kProductBytes]) {
    if (reader.block_epoch == by.block_epoch && reader.thread != by.thread &&
        !by.clocks->knows(by.thread, reader.thread, reader.time)) {
      return &reader;
    }
  }
  return nullptr;
}

bool Scratchpad::conflict(Use use, const Shadow& s, uint32_t offset, const Access& by,
                          Finding& finding) const {
  const auto found = [&](Fault::Kind kind, std::string detail) {
    finding = {kind, fmt::format("{} of byte {} of scratchpad {}", verb_of(use), offset, detail)};
    return true;
  };
  if (s.in_flight) {
    return found(Fault::Kind::kInFlight, "that a copy not yet waited for will write");
  }
  const bool reads = use != Use::kStore && use != Use::kCopy;
  const bool writes = use == Use::kStore || use == Use::kCopy || use == Use::kAtomic;
  if (writes && s.products > 0) {
    return found(Fault::Kind::kInFlight, "that a product not yet waited for reads");
  }
  if (reads && s.life != life_) {
    return found(Fault::Kind::kUninitialised, "that holds nothing");
  }
  const bool atomic = use == Use::kAtomic || use == Use::kPeek;
  if (!atomic && s.atomic != kNobody && s.atomic_epoch == by.block_epoch && s.atomic != by.thread) {
    return found(Fault::Kind::kRace, fmt::format("on which thread {} works atomically", s.atomic));
  }
  if (written_by_other(s, by)) {
    return found(Fault::Kind::kRace, s.span != kNoBox
                                         ? "that a bulk copy writes, for which no one has waited"
                                         : fmt::format("that thread {} writes", s.writer));
  }
  if (use == Use::kProduct && !visible(s, by)) {
    return found(Fault::Kind::kUnfenced,
                 fmt::format("that thread {} has written without a fence after it", s.writer));
  }
  if (writes && read_by_other(s, by)) {
    return found(Fault::Kind::kRace, fmt::format("that thread {} reads", s.reader));
  }
  return false;
}

bool Scratchpad::record(Use use, uint32_t offset, uint32_t bytes, const Access& by,
                        Finding& finding) {
  if (offset % bytes != 0) {
    finding = {Fault::Kind::kMisaligned,
               fmt::format("{} of {} bytes at byte {} of scratchpad", verb_of(use), bytes, offset)};
    return false;
  }
  if (offset > size() || bytes > size() - offset) {
    finding = {Fault::Kind::kOutOfBounds,
               fmt::format("{} of {} bytes at byte {} of scratchpad, of which there are {}",
                           verb_of(use), bytes, offset, size())};
    return false;
  }
  for (uint32_t i = offset; i < offset + bytes; ++i) {
    if (conflict(use, shadow_[i], i, by, finding)) return false;
  }
  if (use == Use::kStore || use == Use::kCopy || use == Use::kAtomic) {
    if (const Reader* reader = product_of_other(offset, by)) {
      finding = {Fault::Kind::kRace,
                 fmt::format("{} of byte {} of scratchpad that a product of thread {} reads",
                             verb_of(use), offset, reader->thread)};
      return false;
    }
    readers_[offset / kProductBytes].clear();
  }
  for (uint32_t i = offset; i < offset + bytes; ++i) {
    Shadow& s = shadow_[i];
    switch (use) {
      case Use::kLoad:
        note_read(s, by);
        break;
      case Use::kStore:
      case Use::kCopy:
        note_write(s, by);
        s.in_flight = use == Use::kCopy;
        if (use == Use::kStore) s.life = life_;
        break;
      case Use::kAtomic:
        s.atomic = int16_t(by.thread);
        s.atomic_epoch = by.block_epoch;
        break;
      case Use::kPeek:
      case Use::kProduct:
        break;
    }
  }
  return true;
}

bool Scratchpad::begin_product(uint32_t offset, std::span<const Access> warps, Finding& finding) {
  for (const Access& by : warps) {
    if (!record(Use::kProduct, offset, kProductBytes, by, finding)) return false;
  }
  for (uint32_t i = offset; i < offset + kProductBytes; ++i)
    shadow_[i].products = uint8_t(shadow_[i].products + warps.size());
  return true;
}

void Scratchpad::end_product(uint32_t offset, const Access& by) {
  for (uint32_t i = offset; i < offset + kProductBytes; ++i)
    --shadow_[i].products;
  std::vector<Reader>& readers = readers_[offset / kProductBytes];
  std::erase_if(readers, [&](const Reader& reader) { return reader.thread == by.thread; });
  readers.push_back({by.thread, by.block_epoch, by.clocks->now(by.thread)});
}

void Scratchpad::land(uint32_t offset, uint32_t bytes, const Access& by) {
  for (uint32_t i = offset; i < offset + bytes; ++i) {
    Shadow& s = shadow_[i];
    s.in_flight = false;
    s.life = life_;
    note_write(s, by);
  }
}

void Scratchpad::land_box(uint32_t offset, uint32_t bytes, int span, const Access& by) {
  land(offset, bytes, by);
  for (uint32_t i = offset; i < offset + bytes; ++i)
    shadow_[i].span = int16_t(span);
}

std::optional<int> Scratchpad::span_of_box(uint32_t offset) const {
  const bool copied =
      offset < size() && shadow_[offset].life == life_ && shadow_[offset].span != kNoBox;
  return copied ? std::optional<int>(shadow_[offset].span) : std::nullopt;
}

void Scratchpad::retire(uint32_t offset, uint32_t bytes) {
  for (uint32_t i = offset; i < offset + bytes && i < size(); ++i)
    shadow_[i].life = 0;
}

}  // namespace kiln::runtime::emulator
