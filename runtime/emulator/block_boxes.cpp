// Block's bulk copies: boxes of a tensor that a map names.
//
// A box is read when it is asked for and lands when it must: when no thread can go on, and now and
// then before. Then its bytes count on the barrier, of which who waits for its phase learns that
// they are there.

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime/emulator/block.h"
#include "runtime/emulator/tensor_map.h"

namespace kiln::runtime::emulator {
namespace {

constexpr uint32_t kPiece = 16;       // bytes that move as one
constexpr uint32_t kAlignment = 128;  // of a box in scratchpad
constexpr uint32_t kRows = 8;         // after which a swizzle repeats

}  // namespace

bool Block::check_map(const Thread& t, const KilnEmulatorTensorMap& map, uint32_t to, size_t rank,
                      KilnPlace place) {
  if (map.mark != kKilnEmulatorMapMark) {
    report(t, Fault::Kind::kBadMap, "a bulk copy by what is no tensor map", place);
    return false;
  }
  if (map.rank != rank) {
    report(t, Fault::Kind::kBadMap,
           fmt::format("{} coordinates of a tensor map of {} dimensions", rank, map.rank), place);
    return false;
  }
  const uint32_t alignment = std::max(kAlignment, kRows * map.span);
  if (to % alignment != 0) {
    report(t, Fault::Kind::kMisaligned,
           fmt::format("bulk copy to byte {} of scratchpad, which is no multiple of {}", to,
                       alignment),
           place);
    return false;
  }
  return true;
}

std::vector<char> Block::read_box(Thread& t, const KilnEmulatorTensorMap& map,
                                  std::span<const int> coordinates, KilnPlace place) {
  std::vector<char> bytes(box_bytes(map));
  const uint32_t row_bytes = map.box[0] * map.element_bytes;
  for (uint32_t offset = 0; offset < bytes.size(); offset += kPiece) {
    uint64_t from = map.address;
    bool inside = true;
    uint32_t row = offset / row_bytes;
    for (uint32_t d = 1; d < map.rank; ++d) {
      const int64_t at = coordinates[d] + int64_t(row % map.box[d]);
      row /= map.box[d];
      inside = inside && at >= 0 && at < map.sizes[d];
      from += uint64_t(at) * map.strides[d - 1];
    }
    // Elements of the piece, of which rows may end or begin in the middle.
    for (uint32_t e = 0; inside && e < kPiece; e += map.element_bytes) {
      const int64_t at = coordinates[0] + int64_t((offset % row_bytes + e) / map.element_bytes);
      if (at < 0 || at >= map.sizes[0]) continue;
      const auto* element = std::bit_cast<const char*>(from) + at * map.element_bytes;
      if (!check_global(t, element, map.element_bytes, map.element_bytes, false, place)) {
        return bytes;
      }
      std::memcpy(bytes.data() + offset + e, element, map.element_bytes);
    }
  }
  return bytes;
}

void Block::copy_box(Thread& t, uint32_t to, const void* map, const int* coordinates, int rank,
                     uint32_t barrier, KilnPlace place) {
  BoxCopy copy{.thread = &t, .map = {}, .to = to, .barrier = barrier, .bytes = {}, .place = place};
  std::memcpy(&copy.map, map, sizeof copy.map);
  const PhasedBarrier* counts = phased(t, barrier, place);
  if (counts == nullptr || !check_map(t, copy.map, to, size_t(rank), place)) return;
  if (scratchpad_.fences_of(counts->maker) == counts->maker_fences) {
    report(t, Fault::Kind::kUnfenced,
           fmt::format("a bulk copy on a barrier that thread {} has made without a fence after it",
                       counts->maker),
           place);
  }
  copy.bytes = read_box(t, copy.map, {coordinates, size_t(rank)}, place);
  for (uint32_t offset = 0; offset < copy.bytes.size(); offset += kPiece) {
    const uint32_t piece = box_byte(copy.map, to, offset);
    if (!check_shared(t, Scratchpad::Use::kCopy, piece, kPiece, place)) return;
  }
  boxes_.push_back(std::move(copy));
  may_yield(t);
}

void Block::land_box() {
  const size_t chosen = random_() % boxes_.size();
  const BoxCopy copy = std::move(boxes_[chosen]);
  boxes_.erase(boxes_.begin() + ptrdiff_t(chosen));
  PhasedBarrier* barrier = phased(*copy.thread, copy.barrier, copy.place);
  if (barrier == nullptr) return;
  const Scratchpad::Access copier{.thread = barrier->copier,
                                  .warp = barrier->copier / work_.body->lanes,
                                  .block_epoch = all_.epoch,
                                  .warp_epoch = 0,
                                  .clocks = &clocks_};
  for (uint32_t offset = 0; offset < copy.bytes.size(); offset += kPiece) {
    const uint32_t piece = box_byte(copy.map, copy.to, offset);
    std::memcpy(scratchpad_.at(piece), copy.bytes.data() + offset, kPiece);
    scratchpad_.land_box(piece, kPiece, int(copy.map.span), copier);
  }
  Clocks::join(barrier->gathered, clocks_.release(barrier->copier));
  barrier->missing_bytes -= int64_t(copy.bytes.size());
  end_phase_if_over(*barrier);
}

}  // namespace kiln::runtime::emulator
