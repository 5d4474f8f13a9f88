// Block's calls for asynchronous products of warpgroups.
//
// A product is worked out when it is issued, and its result withheld until the wait for its group:
// until then the sums hold poison, so that reading them early spoils the result, and writing them
// is noticed. Nothing may write what it reads in the meantime, so when it reads makes no
// difference.

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime/emulator/block.h"
#include "runtime/emulator/matrix.h"
#include "runtime/emulator/warpgroup.h"

namespace kiln::runtime::emulator {
namespace {

constexpr uint32_t kPoison = 0x7fc0dead;  // a NaN
constexpr int kLanes = 32;                // of the warps that have such products

using ByteOf = uint32_t (*)(const Descriptor&, int, int);

std::vector<uint32_t> pieces_of(const Descriptor& d, ByteOf byte, int rows) {
  std::vector<uint32_t> pieces;
  for (int i = 0; i < rows; ++i) {
    for (int k = 0; k < kProductDepth; ++k)
      pieces.push_back(byte(d, i, k) / Scratchpad::kProductBytes * Scratchpad::kProductBytes);
  }
  std::ranges::sort(pieces);
  pieces.erase(std::ranges::unique(pieces).begin(), pieces.end());
  return pieces;
}

}  // namespace

struct Block::ProductShare {
  Thread* thread;
  const KilnEmulatorProduct* product;
};

void Block::product(Thread& t, const KilnEmulatorProduct* product, KilnPlace place) {
  ProductShare share{&t, product};
  meet(warpgroups_[size_t(t.thread / kWarpgroup)], t.thread % kWarpgroup, t, Together::kProduct,
       place, &share, [&](std::span<void* const> all) { begin_product(all, place); });
}

bool Block::hold(Thread& first, const std::vector<uint32_t>& pieces, KilnPlace place) {
  std::vector<Scratchpad::Access> warps;
  for (int warp = 0; warp < kWarpgroup / kLanes; ++warp)
    warps.push_back(access_of(*threads_[size_t(first.thread + warp * kLanes)]));
  for (size_t i = 0; i < pieces.size(); ++i) {
    Scratchpad::Finding finding{};
    if (scratchpad_.begin_product(pieces[i], warps, finding)) continue;
    report(first, finding.kind, std::move(finding.detail), place);
    for (size_t held = 0; held < i; ++held) {
      for (const Scratchpad::Access& by : warps)
        scratchpad_.end_product(pieces[held], by);
    }
    return false;
  }
  return true;
}

void Block::begin_product(std::span<void* const> shares, KilnPlace place) {
  const auto share = [&](int i) -> ProductShare& {
    return *static_cast<ProductShare*>(shares[size_t(i)]);
  };
  Thread& first = *share(0).thread;
  const KilnEmulatorProduct& p = *share(0).product;
  const auto type = KilnEmulatorType(p.type);
  for (int i = 0; i < kWarpgroup; ++i) {
    Thread& t = *share(i).thread;
    const KilnEmulatorProduct& own = *share(i).product;
    if (own.right_descriptor != p.right_descriptor || own.left_descriptor != p.left_descriptor) {
      report(t, Fault::Kind::kDivergence, "threads of a warpgroup give different descriptors",
             place);
    }
    if (!t.registers_fenced) {
      report(t, Fault::Kind::kUnfenced,
             "a product of registers without a fence after the last wait", place);
      t.registers_fenced = true;
    }
  }

  const Descriptor right(p.right_descriptor), left(p.left_descriptor);
  const ByteOf left_byte = p.left_down ? byte_down : byte_along;
  const ByteOf right_byte = p.right_down ? byte_down : byte_along;
  if (right.base_offset != 0 || (!p.left && left.base_offset != 0)) {
    report(first, Fault::Kind::kMisaligned, "a descriptor with a base offset", place);
  }
  std::vector<uint32_t> pieces = pieces_of(right, right_byte, p.columns);
  const auto other_span = std::ranges::find_if(pieces, [&](uint32_t piece) {
    return scratchpad_.span_of_box(piece).value_or(right.panel) != right.panel;
  });
  if (other_span != pieces.end()) {
    report(first, Fault::Kind::kBadMap,
           fmt::format("a product reads by panels of {} bytes what a bulk copy has brought by {}",
                       right.panel, *scratchpad_.span_of_box(*other_span)),
           place);
  }
  if (!p.left) {
    for (uint32_t piece : pieces_of(left, left_byte, kProductRows))
      pieces.push_back(piece);
  }
  const bool good = hold(first, pieces, place);

  const auto element = [&](uint32_t byte) {
    uint16_t bits = 0;
    std::memcpy(&bits, scratchpad_.at(byte), sizeof bits);
    return widen(type, bits);
  };
  ProductLeft a{};
  ProductRight b{};
  if (good) {
    for (int n = 0; n < p.columns; ++n) {
      for (int k = 0; k < kProductDepth; ++k)
        b[size_t(n)][size_t(k)] = element(right_byte(right, n, k));
    }
    for (int m = 0; !p.left && m < kProductRows; ++m) {
      for (int k = 0; k < kProductDepth; ++k)
        a[size_t(m)][size_t(k)] = element(left_byte(left, m, k));
    }
  }

  std::array<float*, kWarpgroup> sums{};
  for (int i = 0; i < kWarpgroup; ++i) {
    Thread& t = *share(i).thread;
    const KilnEmulatorProduct& own = *share(i).product;
    const size_t count = size_t(p.columns) / 2;
    PendingReads reads{.left = own.left, .before = {}, .pieces = {}, .group = t.product_group};
    if (own.left) {
      std::copy_n(own.left, reads.before.size(), reads.before.begin());
      for (int e = 0; e < 8; ++e) {
        const ProductPlace place_of = product_place(i, e);
        a[size_t(place_of.row)][size_t(place_of.column)] =
            widen(type, uint16_t(own.left[e / 2] >> (e % 2 * 16)));
      }
    }
    if (good && t.lane == 0) reads.pieces = pieces;
    t.pending_reads.push_back(std::move(reads));

    auto pending = std::ranges::find_if(t.pending_sums, [&](const PendingSums& other) {
      return own.sums < other.sums + other.result.size() && other.sums < own.sums + count;
    });
    if (pending == t.pending_sums.end()) {
      t.pending_sums.push_back({own.sums, std::vector<float>(own.sums, own.sums + count), 0});
      pending = t.pending_sums.end() - 1;
      std::fill_n(own.sums, count, std::bit_cast<float>(kPoison));
    } else if (pending->sums != own.sums || pending->result.size() != count) {
      report(t, Fault::Kind::kInFlight, "sums that a product of another shape will write", place);
      pending->result.resize(std::max(pending->result.size(), count));
    }
    if (!own.accumulate) std::ranges::fill(pending->result, 0.f);
    pending->group = t.product_group;
    sums[size_t(i)] = pending->result.data();
  }
  emulator::multiply(a, b, p.columns, sums);
}

void Block::product_wait(Thread& t, uint32_t groups_in_flight, KilnPlace place) {
  meet(warp_of(t), t.lane, t, Together::kProductWait, place, &t, [&](std::span<void* const> all) {
    for (void* lane : all)
      end_products(*static_cast<Thread*>(lane), groups_in_flight, place);
  });
}

void Block::end_products(Thread& t, uint32_t groups_in_flight, KilnPlace place) {
  const auto done = [&](const auto& pending) {
    return pending.group + groups_in_flight < t.product_group;
  };
  for (const PendingReads& reads : t.pending_reads) {
    if (!done(reads)) continue;
    for (uint32_t piece : reads.pieces)
      scratchpad_.end_product(piece, access_of(t));
    if (reads.left && !std::equal(reads.before.begin(), reads.before.end(), reads.left)) {
      report(t, Fault::Kind::kInFlight, "a left operand changed while a product reads it", place);
    }
  }
  std::erase_if(t.pending_reads, done);
  for (const PendingSums& pending : t.pending_sums) {
    if (!done(pending)) continue;
    const bool kept = std::all_of(pending.sums, pending.sums + pending.result.size(),
                                  [](float x) { return std::bit_cast<uint32_t>(x) == kPoison; });
    if (!kept) {
      report(t, Fault::Kind::kInFlight, "sums changed before the wait for their product", place);
    }
    std::ranges::copy(pending.result, pending.sums);
  }
  std::erase_if(t.pending_sums, done);
  t.registers_fenced = false;
}

void Block::proxy_fence(Thread& t) {
  scratchpad_.fence(t.thread, clocks_);
}

}  // namespace kiln::runtime::emulator
