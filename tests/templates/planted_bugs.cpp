#include "tests/templates/planted_bugs.h"

namespace kiln::test {
namespace {

constexpr const char* kRing = "tile/simt/ring.h";
constexpr const char* kChunks = "tile/simt/chunks.h";
constexpr const char* kStream = "tile/simt/stream.h";
constexpr const char* kTiles = "tile/simt/tiles.h";
constexpr const char* kStage = "tile/simt/stage.h";
constexpr const char* kAtoms = "tile/simt/atom.h";
constexpr const char* kGroupAtom = "tile/simt/wgmma_atom.h";
constexpr const char* kRoles = "tile/simt/roles.h";
constexpr const char* kProducerBlock = "tile/simt/producer_block.h";
constexpr const char* kTurns = "tile/simt/turns.h";
constexpr const char* kView = "tile/view.h";
constexpr const char* kFmaAtom = "tile/simt/fma_atom.h";
constexpr const char* kFragments = "tile/simt/fragment.h";
constexpr const char* kShared = "tile/simt/shared.h";
constexpr const char* kBlock = "tile/simt/tiles_block.h";
constexpr const char* kItems = "tile/simt/items_block.h";
constexpr const char* kFootprint = "tile/simt/footprint.h";
constexpr const char* kAttention = "attention_forward/kernel.h";
constexpr const char* kDepthwise = "depthwise_conv2d_forward/kernel.h";
constexpr const char* kDepthwiseStage = "depthwise_conv2d_forward/stage.h";

}  // namespace

const std::vector<PlantedBug>& synchronisation_bugs() {
  static const std::vector<PlantedBug> bugs = {
      {"ring: no barrier before a slot is used and refilled", Victim::kMma2, kRing,
       "t.retire(base + next * kSlot, kSlot);\n      t.block_barrier();",
       "t.retire(base + next * kSlot, kSlot);", kRace},
      {"ring: waits one group too few", Victim::kMma2, kRing, "copy_wait<kAhead - 1>()",
       "copy_wait<kAhead>()", kInFlight},
      {"ring of three: waits one group too few", Victim::kMma3, kRing, "copy_wait<kAhead - 1>()",
       "copy_wait<kAhead>()", kInFlight},
      {"one slot: no barrier after its use", Victim::kMma1, kRing,
       "use(first, base);\n      t.retire(base, kSlot);\n      t.block_barrier();",
       "use(first, base);", kRace},
      {"one slot: no barrier before its use", Victim::kMma1, kRing,
       "t.block_barrier();\n      use(first, base);", "use(first, base);", kRace},
      {"one slot: no wait", Victim::kMma1, kRing,
       "t.template copy_wait<0>();\n        if constexpr", "if constexpr", kInFlight},
      {"ring: a barrier that only one warp reaches", Victim::kMma2, kRing,
       "t.retire(base + next * kSlot, kSlot);\n      t.block_barrier();",
       "t.retire(base + next * kSlot, kSlot);\n      if (t.warp() == 0) t.block_barrier();",
       kDivergence},
      {"ring: the slot in use is refilled", Victim::kMma2, kRing,
       "issue(first + kAhead * step, next);", "issue(first + kAhead * step, slot);", kAny},
      {"ring of three: wraps one slot too late", Victim::kMma3, kRing,
       "slot = slot + 1 == Stages ? 0 : slot + 1;", "slot = slot == Stages ? 0 : slot + 1;", kAny},
      {"ring: the first chunk is not requested", Victim::kMma2, kRing, "s < kAhead; ++s)",
       "s + 1 < kAhead; ++s)", kUninitialised},
      {"ring: groups are not closed", Victim::kMma2, kRing,
       "first);\n      t.copy_commit();\n    };", "first);\n    };", kInFlight},
      {"registers: no barrier after a slot's use", Victim::kMfma1, kRing,
       "t.retire(base, kSlot);\n        t.block_barrier();\n      } else", "} else", kRace},
      {"registers: no barrier before a slot's use", Victim::kMfma1, kRing,
       "t.block_barrier();\n      if (first + step", "if (first + step", kRace},
      {"registers: slots do not alternate", Victim::kMfma2, kRing, "slot ^= 1;", "", kRace},
      {"an exchange that one lane leaves out", Victim::kMma2, kBlock,
       "r.v[m][s] = f(r.v[m][s], t_.shuffle_xor(r.v[m][s], mask));",
       "if (t_.lane() != 3) r.v[m][s] = f(r.v[m][s], t_.shuffle_xor(r.v[m][s], mask));",
       kDivergence},
      {"depthwise: no barrier after staging", Victim::kPoints, kDepthwise,
       "stage_input(p);\n    blk.sync();", "stage_input(p);", kRace},
      {"depthwise: no barrier before staging again", Victim::kPoints, kDepthwise,
       "compute(p);\n    blk.sync();", "compute(p);", kRace},
      {"depthwise: no barrier before planes are stored", Victim::kPlanes, kDepthwise,
       "compute(p);\n    blk.sync();", "compute(p);", kRace},
      {"depthwise: a scalar is put by every lane", Victim::kPoints, kItems,
       "if (t_.lane() == 0) set_scratch(at, x);", "set_scratch(at, x);", kRace},
  };
  return bugs;
}

const std::vector<PlantedBug>& staging_bugs() {
  static const std::vector<PlantedBug> bugs = {
      {"values land where keys lie", Victim::kMma2, kChunks, "second.copy(t, at + kSecond, from);",
       "second.copy(t, at, from);", kAny},
      {"keys are taken from the next row", Victim::kMma2, kChunks, "first.copy(t, at, from);",
       "first.copy(t, at, from + 1);", kWrong},
      {"registers: values are put into the first slot", Victim::kMfma2, kChunks,
       "second.put(t, at + kSecond);", "second.put(t, kSecond);", kAny},
      {"registers: the same chunk is fetched again", Victim::kMfma1, kRing,
       "fetch(first + step, slot ^ 1);", "fetch(first, slot ^ 1);", kWrong},
      {"registers: the last chunk is not fetched", Victim::kMfma1, kRing,
       "if (first + step < hi) fetch", "if (first + 2 * step < hi) fetch", kWrong},
      {"a swizzle on the writing side only", Victim::kMma2, kStage,
       "t.copy_async(at + Layout::offset(row, column),",
       "t.copy_async(at + SharedTile<T, R, C, Swizzle::none>::offset(row, column),", kWrong},
      {"a swizzle of pairs on the writing side only", Victim::kMfma1, kStage,
       "t.sts(at + Layout::offset(pair, column), w[0]);",
       "t.sts(at + SharedPairs<T, R, C, 0, Sw>::offset(pair, column), w[0]);", kAny},
      {"rows past the tensor are not staged", Victim::kMma2, kStage, "t.copy_async(",
       "if (n > 0) t.copy_async(", kUninitialised},
      {"one row past the tensor is staged", Victim::kMma2, kStage, "return row < w.rows ?",
       "return row <= w.rows ?", kOutside},
      {"pairs: one row past the tensor is fetched", Victim::kMfma1, kStage,
       "const int n = row < w.rows ?", "const int n = row <= w.rows ?", kOutside},
      {"pairs: halves exchanged", Victim::kMfma1, kStage, "(a & 0xffffu) | b << 16",
       "(b & 0xffffu) | a << 16", kWrong},
      {"pairs: every other half is left out", Victim::kMfma1, kStage,
       "t.sts(at + Layout::offset(pair, column + 4), w[1]);", "", kUninitialised},
      {"pairs: threads without a chunk put one", Victim::kNarrow, kStage,
       "if (kChunks % Threads == 0 || i < kChunks) f(round, i / kPerRow, i % kPerRow * kChunk);",
       "f(round, i / kPerRow, i % kPerRow * kChunk);", kAny},
      {"warps copy the same chunks", Victim::kMma2, kStage,
       "const int i = round * Threads + t.thread() - First;\n      if (kChunks % Threads == 0 || i "
       "< "
       "kChunks)\n",
       "const int i = round * Threads + t.lane();\n      if (kChunks % Threads == 0 || i < "
       "kChunks)\n",
       kAny},
      {"both panels of a row lie in one place", Victim::kWide, kShared,
       "const u32 panel = (u32)column * (u32)sizeof(T) / Panel;", "const u32 panel = 0;", kAny},
      {"pairs: rows overlap", Victim::kMfma1, kShared, "(u32)pair * (u32)kPitch + c",
       "(u32)pair * (u32)kPitch / 2 + c", kAny},
      {"a tile's last row lies in the next tile", Victim::kMma2, kFootprint,
       "return (unsigned)(rows * up_to", "return (unsigned)((rows - 1) * up_to", kAny},
      {"the kernel needs more scratchpad than the plan gives", Victim::kMma2, kFootprint,
       "return (unsigned)(rows * up_to", "return (unsigned)((rows + 8) * up_to",
       "scratchpad too small"},
      {"chunks are taken for aligned", Victim::kGaps, kChunks, "rows_aligned(v, kChunkBytes)",
       "rows_aligned(v, 1)", kMisaligned},
      {"rows of queries are taken for aligned", Victim::kGaps, kBlock,
       "aligned(rows_aligned(v, 4 * A::kLeftRun))", "aligned(true)", kMisaligned},
      {"depthwise: columns beside the image are not cleared", Victim::kPoints, kDepthwiseStage,
       "clear_columns(p, row, row_end, 0, lmin(margin, P::kTile.width));", "", kUninitialised},
      {"depthwise: rows above the image are loaded", Victim::kPoints, kDepthwiseStage,
       "const i64 row = lmin(lmax(p.top, 0), p.a.h)", "const i64 row = lmin(p.top, p.a.h)", kAny},
      {"depthwise: one column past a plane is loaded", Victim::kPlanes, kItems,
       "if (l < count && s < columns)", "if (l < count && s <= columns)", kAny},
      {"depthwise: a row's last pack is put whole", Victim::kColumnLanes, kItems,
       "if (l < n) set_scratch(at + l, x.v[i]);", "set_scratch(at + l, x.v[i]);", kAny},
      {"depthwise: one item too many", Victim::kPoints, kItems, "i < rows * columns;",
       "i <= rows * columns;", kAny},
      {"depthwise: one channel too many is stored", Victim::kPoints, kItems,
       "if (l < n) store_element", "if (l <= n) store_element", kAny},
  };
  return bugs;
}

const std::vector<PlantedBug>& fragment_bugs() {
  static const std::vector<PlantedBug> bugs = {
      {"mma: rows of sums mistaken", Victim::kMma2, kAtoms, "return e / 2 % 2;",
       "return e / 4 % 2;", kWrong},
      {"mma: matrices in the wrong order", Victim::kMma2, kAtoms,
       "Shared::offset(first + matrix / 2 * 8 + j, k + matrix % 2 * 8)",
       "Shared::offset(first + matrix % 2 * 8 + j, k + matrix / 2 * 8)", kWrong},
      {"mma: values not transposed", Victim::kMma2, kAtoms, "t.load_matrices_transposed(b.r,",
       "t.load_matrices(b.r,", kWrong},
      {"mma: the first half's columns twice", Victim::kMma2, kAtoms, "left[m].r, b.r + 2",
       "left[m].r, b.r", kWrong},
      {"mma: probabilities in the wrong order", Victim::kMma2, kAtoms,
       "for (int r = 0; r < 4; ++r)\n      left[r] = t.template pack<T>(sums[2 * r], sums[2 * r + "
       "1]);",
       "for (int r = 0; r < 4; ++r)\n      left[r] = t.template pack<T>(sums[2 * r + 1], sums[2 * "
       "r]);",
       kWrong},
      {"mma: half of the rows' values are not stored", Victim::kMma2, kAtoms,
       "return lane % 4 == 0;", "return lane % 8 == 0;", kWrong},
      {"mma: k of left operands interleaved", Victim::kMma2, kFragments,
       "lane % 4 * 2 + e % 2 + e / 4 * 8", "lane % 4 * 4 + e % 2 + e / 4 * 2", kWrong},
      {"mfma: rows and columns of values exchanged", Victim::kMfma1, kAtoms,
       "Shared::offset((k + p.column) / 2, first + p.row)",
       "Shared::offset((k + p.row) / 2, first + p.column)", kWrong},
      {"mfma: operands exchanged", Victim::kMfma1, kAtoms,
       "mfma_16x16x16<T>(sums[m][n], b.r, left[m].r)",
       "mfma_16x16x16<T>(sums[m][n], left[m].r, b.r)", kWrong},
      {"mfma: sums in the wrong order", Victim::kMfma1, kFragments,
       "sum(int lane, int e) { return {lane / 16 * 4 + e, lane % 16}; }",
       "sum(int lane, int e) { return {lane / 16 + e * 4, lane % 16}; }", kWrong},
      {"gfx11: even and odd columns exchanged", Victim::kGfx11, kAtoms, "t.lane() < 16 ?",
       "t.lane() >= 16 ?", kWrong},
      {"gfx11: sums of the other generation", Victim::kGfx11, kFragments,
       "{2 * e + lane / 16, lane % 16}", "{lane / 16 * 8 + e, lane % 16}", kWrong},
      {"gfx12: lanes that share a row do not exchange", Victim::kGfx12, kAtoms,
       "kExchangeTo = I::kLanes / 2;", "kExchangeTo = 8;", kWrong},
      {"fma: groups of lanes mistaken", Victim::kFma, kFmaAtom, "(own ^ d) == g", "(own + d) == g",
       kWrong},
      {"fma: chunks read across their border", Victim::kFma, kFmaAtom, "Shared::offset(row, k + i)",
       "Shared::offset(row, k + i + 1)", kMisaligned},
      {"fma: columns of values mistaken", Victim::kFma, kFmaAtom,
       "Shared::offset(k + i, n + column(t.lane(), e))", "Shared::offset(k + i, n + e)", kWrong},
  };
  return bugs;
}

const std::vector<PlantedBug>& product_bugs() {
  static const std::vector<PlantedBug> bugs = {
      {"ring: copies are not made visible to products", Victim::kGroup2, kRing,
       "t.template copy_wait<kAhead - 1>();\n      if constexpr (kFenced) t.proxy_fence();",
       "t.template copy_wait<kAhead - 1>();", kUnfenced},
      {"ring: made visible before they have landed", Victim::kGroup2, kRing,
       "t.template copy_wait<kAhead - 1>();\n      if constexpr (kFenced) t.proxy_fence();",
       "if constexpr (kFenced) t.proxy_fence();\n      t.template copy_wait<kAhead - 1>();",
       kUnfenced},
      {"one slot: copies are not made visible to products", Victim::kGroup1, kRing,
       "t.template copy_wait<0>();\n        if constexpr (kFenced) t.proxy_fence();",
       "t.template copy_wait<0>();", kUnfenced},
      {"scores are read before their product is done", Victim::kGroup2, kStream,
       "A::template wait<0>(t_);\n        A::settle", "A::settle", kAny},
      {"values' slot is given back before their product is done", Victim::kGroup2, kStream,
       "if constexpr (kGroups) A::template wait<0>(t_);\n    };", "};", kInFlight},
      {"values' product is waited for one group too early", Victim::kGroup2, kStream,
       "if constexpr (kGroups) A::template wait<0>(t_);\n    };",
       "if constexpr (kGroups) A::template wait<1>(t_);\n    };", kInFlight},
      {"scores' product is not closed", Victim::kGroup2, kGroupAtom,
       "kAdd || k > 0);\n        }\n      });\n    }\n    t.product_commit();",
       "kAdd || k > 0);\n        }\n      });\n    }", kAny},
      {"scores' registers are not fenced", Victim::kGroup2, kGroupAtom,
       "if constexpr (kAdd) settle(t, sums);\n    t.product_fence();",
       "if constexpr (kAdd) settle(t, sums);", kUnfenced},
      {"outputs' registers are not fenced", Victim::kGroup2, kGroupAtom,
       "const u32 (&left)[MT][KT][kLeft], u32 at) {\n    settle(t, sums);\n    t.product_fence();",
       "const u32 (&left)[MT][KT][kLeft], u32 at) {\n    settle(t, sums);", kUnfenced},
      {"one warp leaves a product out", Victim::kGroup2, kBlock,
       "A::template begin_columns<T, Layout>(t_, o.d, p.d, v.at);",
       "if (t_.warp() != 2) A::template begin_columns<T, Layout>(t_, o.d, p.d, v.at);",
       kDivergence},
      {"warps describe operands of their own", Victim::kGroup2, kTiles,
       "warp / AtomType::kGroupWarps * kAtoms<BM>", "warp * kAtoms<BM>", kAny},
      {"the second group takes the first's queries", Victim::kGroups, kTiles,
       "warp / AtomType::kGroupWarps * kAtoms<BM>", "0 * kAtoms<BM>", kWrong},
      {"a descriptor of another swizzle", Victim::kGroup2, kGroupAtom,
       "kPanel == 128 ? 1 : kPanel == 64 ? 2 : 3", "kPanel == 128 ? 2 : kPanel == 64 ? 1 : 3",
       kAny},
      {"a descriptor of another swizzle, panels of 64 bytes", Victim::kGroups, kGroupAtom,
       "kPanel == 128 ? 1 : kPanel == 64 ? 2 : 3", "kPanel == 128 ? 1 : 3", kAny},
      {"strides exchanged", Victim::kGroup2, kGroupAtom, "kGroups << 32 | kPanels << 16",
       "kPanels << 32 | kGroups << 16", kAny},
      {"panels overlap", Victim::kGroups, kGroupAtom, "kPanels = Shared::kRows * kPanel / 16,",
       "kPanels = Shared::kRows * kPanel / 32,", kWrong},
      {"the swizzle of 64 bytes takes every row", Victim::kGroups, kShared,
       "return (u32)row * Panel / 128 & (kChunks - 1);", "return (u32)row & (kChunks - 1);",
       kWrong},
      {"the same depth of keys again", Victim::kGroup2, kGroupAtom,
       "RightOperand::descriptor_at(t, at, from.value, k),",
       "RightOperand::descriptor_at(t, at, from.value, 0),", kWrong},
      {"scores are added to what was there", Victim::kGroup2, kGroupAtom, "kAdd || k > 0);",
       "true);", kAny},
      {"the next product's columns lie in the first's", Victim::kGroups, kGroupAtom,
       "each_width<N - kWidth, From + kWidth>(f)", "each_width<N - kWidth, From>(f)", kAny},
      {"queries lie where keys do", Victim::kGroup2, kStream, "chunks, use, kSlots);",
       "chunks, use, 0);", kAny},
  };
  return bugs;
}

const std::vector<PlantedBug>& producer_bugs() {
  static const std::vector<PlantedBug> bugs = {
      {"filled slots are taken for visible to products", Victim::kProducer2, kRoles,
       "if (!boxes_) t_.proxy_fence();", "", kUnfenced},
      {"keys are used before they are there", Victim::kProducer2, kRoles,
       "t_.phase_wait(Ring::barrier(place.slot, filled), place.parity);", "", kAny},
      {"slots are filled before they are free", Victim::kProducer2, kRoles,
       "t.phase_wait(free, parity);", "", kAny},
      {"the first phase of free slots is waited for", Victim::kProducer2, kRoles,
       "typename Ring::Place p = {0, 1};", "typename Ring::Place p = {0, 0};", kDivergence},
      {"the first phase of filled slots is not waited for", Victim::kProducer2, kRoles,
       "keys_ = {0, 0}, values_ = {0, 0};", "keys_ = {0, 1}, values_ = {0, 0};", kAny},
      {"parity does not change with the round", Victim::kProducer2, kRoles, "parity ^= 1;", "",
       kAny},
      {"one slot: parity does not change", Victim::kProducer1, kRoles, "parity ^= 1;", "", kAny},
      {"filled by one thread too few", Victim::kProducer2, kRoles,
       "t.phase_init(barrier(slot, Barrier::keys_filled), copying);",
       "t.phase_init(barrier(slot, Barrier::keys_filled), copying - 1);", kAny},
      {"filled by one thread too many", Victim::kProducer2, kRoles,
       "t.phase_init(barrier(slot, Barrier::values_filled), copying);",
       "t.phase_init(barrier(slot, Barrier::values_filled), copying + 1);", kDivergence},
      {"freed by one warp too few", Victim::kProducer2, kRoles,
       "t.phase_init(barrier(slot, Barrier::values_free), (u32)multiplying_warps);",
       "t.phase_init(barrier(slot, Barrier::values_free), (u32)multiplying_warps - 1);", kAny},
      {"freed by one warpgroup", Victim::kProducer2, kRoles,
       "t.phase_init(barrier(slot, Barrier::keys_free), (u32)multiplying_warps);",
       "t.phase_init(barrier(slot, Barrier::keys_free), 4);", kAny},
      {"every lane frees", Victim::kProducer2, kRoles, "if (t_.lane() == 0) t_.phase_arrive",
       "t_.phase_arrive", kAny},
      {"arrives before its copies have landed", Victim::kProducer2, kRoles,
       "t.phase_arrive_copies(filled);", "t.phase_arrive(filled);", kInFlight},
      {"barriers are used before they are made", Victim::kProducer2, kRoles,
       "    t.block_barrier();\n", "", kAny},
      {"values' barrier for keys", Victim::kProducer2, kRoles,
       "return wait(keys_, Barrier::keys_filled,", "return wait(keys_, Barrier::values_filled,",
       kAny},
      {"slots overlap their barriers", Victim::kProducer2, kRoles,
       "kBarriers = Base + Stages * kSlot;", "kBarriers = Base + (Stages - 1) * kSlot;", kAny},
      {"values are freed before their product is done", Victim::kProducer2, kStream,
       "A::template wait<0>(t_);\n    chunks.free_values();\n    p = turn(s, alpha);",
       "chunks.free_values();\n    A::template wait<0>(t_);\n    p = turn(s, alpha);", kAny},
      {"scores are read one group too early", Victim::kProducer2, kStream,
       "A::template wait<1>(t_);", "A::template wait<2>(t_);", kAny},
      {"outputs are scaled while their product is in flight", Victim::kProducer2, kStream,
       "A::template wait<0>(t_);\n    chunks.free_values();\n    p = turn(s, alpha);",
       "p = turn(s, alpha);\n    A::template wait<0>(t_);\n    chunks.free_values();", kAny},
      {"the left operand is not waited for", Victim::kProducer2, kStream,
       "t_.template copy_wait<0>();\n  t_.proxy_fence();", "t_.proxy_fence();", kInFlight},
      {"warps do not wait for each other's part of the left operand", Victim::kProducer2, kStream,
       "t_.warps_barrier(kMultiplying, kOwnThreads);", "", kAny},
      {"a barrier of the left operand for too many", Victim::kProducer2, kStream,
       "t_.warps_barrier(kMultiplying, kOwnThreads);", "t_.warps_barrier(kMultiplying, kThreads);",
       kDivergence},
      {"the last values are left out", Victim::kProducer2, kStream,
       "accumulate(p, Values{chunks.wait_values()});\n  A::template wait<0>(t_);\n  "
       "chunks.free_values();\n}",
       "}", kWrong},
      {"a row too few of warps copies", Victim::kProducer2, kStage,
       "for (int i = t.thread() - First; i < kChunks; i += Threads)\n          copy_chunk",
       "for (int i = t.thread() - First + 1; i < kChunks; i += Threads)\n          copy_chunk",
       kAny},
  };
  return bugs;
}

const std::vector<PlantedBug>& box_bugs() {
  static const std::vector<PlantedBug> bugs = {
      {"more bytes are expected than a box has", Victim::kBoxes, kRoles,
       "t.phase_expect(filled, Layout::kBytes);", "t.phase_expect(filled, Layout::kBytes + 16);",
       kDivergence},
      {"fewer bytes are expected than a box has", Victim::kBoxes, kRoles,
       "t.phase_expect(filled, Layout::kBytes);", "t.phase_expect(filled, Layout::kBytes / 2);",
       kDivergence},
      {"no bytes are expected", Victim::kBoxes, kRoles, "t.phase_expect(filled, Layout::kBytes);",
       "t.phase_arrive(filled);", kAny},
      {"boxes are used before they are there", Victim::kBoxes, kRoles,
       "t_.phase_wait(Ring::barrier(place.slot, filled), place.parity);", "", kRace},
      {"boxes are asked for before their slot is free", Victim::kBoxes, kRoles,
       "t.phase_wait(free, parity);", "", kAny},
      {"barriers are not made visible to copies", Victim::kBoxes, kRoles,
       "if (boxes) t.proxy_fence();", "", kUnfenced},
      {"boxes beside the swizzle's rows", Victim::kBoxes, kRoles,
       "t.copy_box(at + Layout::offset(0, column),",
       "t.copy_box(at + 64 + Layout::offset(0, column),", kMisaligned},
      {"boxes count on the barrier of free slots", Victim::kBoxes, kRoles,
       "view.box(first, column), filled);", "view.box(first, column), filled + 8);", kAny},
      {"every thread asks for boxes", Victim::kBoxes, kProducerBlock,
       "if (t_.thread() == kFirst) {", "{", kAny},
      {"products read by another swizzle than boxes have", Victim::kBoxes, kGroupAtom,
       "kPanel == 128 ? 1 : kPanel == 64 ? 2 : 3;", "kPanel == 128 ? 2 : kPanel == 64 ? 1 : 3;",
       kBadMap},
      {"rows and columns of boxes exchanged", Victim::kBoxes, kView, "{{(i32)column, (i32)row}}",
       "{{(i32)row, (i32)column}}", kWrong},
      {"boxes of the first head for all", Victim::kBoxes, kView,
       "view.rest[d++] = (i32)w.at[axis];", "view.rest[d++] = 0;", kWrong},
      {"values by the map of keys", Victim::kBoxes, kAttention, "return {a.v, a.v_map};",
       "return {a.v, a.k_map};", kWrong},
      {"a tensor in the place of its map", Victim::kBoxes, kAttention, "return {a.k, a.k_map};",
       "return {a.k, (const TensorMap&)a.q};", kBadMap},
  };
  return bugs;
}

const std::vector<PlantedBug>& turn_bugs() {
  static const std::vector<PlantedBug> bugs = {
      {"no one gives the first turn", Victim::kPingPong, kTurns,
       "if (second_) t_.warps_arrive(kFirstBarrier, kThreads);", "", kDivergence},
      {"both groups are given the first turn", Victim::kPingPong, kTurns,
       "if (second_) t_.warps_arrive(kFirstBarrier, kThreads);",
       "t_.warps_arrive(kFirstBarrier + (int)!second_, kThreads);", kDivergence},
      {"both groups wait at one barrier", Victim::kPingPong, kTurns,
       "t_.warps_barrier(kFirstBarrier + (int)second_, kThreads);",
       "t_.warps_barrier(kFirstBarrier, kThreads);", kAny},
      {"a group passes the turn to itself", Victim::kPingPong, kTurns,
       "t_.warps_arrive(kFirstBarrier + (int)!second_, kThreads);",
       "t_.warps_arrive(kFirstBarrier + (int)second_, kThreads);", kDivergence},
      {"the last turn is passed on", Victim::kPingPong, kTurns, "if (!second_ || !last) ", "",
       kDivergence},
      {"the first group does not pass its last turn", Victim::kPingPong, kTurns,
       "if (!second_ || !last) ", "if (!last) ", kDivergence},
      {"turns of more threads than there are", Victim::kPingPong, kTurns,
       "kThreads = 2 * kGroupWarps * 32;", "kThreads = 2 * kGroupWarps * 32 + 32;", kDivergence},
      {"a warp of the second group takes the first one's turns", Victim::kPingPong, kTurns,
       "t.warp() >= kGroupWarps", "t.warp() > kGroupWarps", kAny},
      {"one warp does not pass its turn", Victim::kPingPong, kTurns, "if (!second_ || !last) ",
       "if (t_.warp() != 1 && (!second_ || !last)) ", kDivergence},
  };
  return bugs;
}

const std::vector<PlantedBug>& kernel_bugs() {
  static const std::vector<PlantedBug> bugs = {
      {"row sums are not added up", Victim::kMma2, kAttention, "blk.row_reduce(l);", "", kWrong},
      {"the mask hides one key too many", Victim::kMma2, kAttention, "select(j + n <= to,",
       "select(j + n < to,", kWrong},
      {"the tail is not masked", Victim::kMma2, kAttention,
       "if (n0 < unmasked_from || n0 + BN - 1 > unmasked_to) {", "if (n0 < unmasked_from) {",
       kWrong},
      {"sums are not scaled to the new maximum", Victim::kMma2, kAttention,
       "blk.scale_rows(o, alpha);", "", kWrong},
      {"parts are weighed by the wrong base", Victim::kSplit, kAttention, "xexp2((x - r) * kLog2e)",
       "xexp2(x - r)", kWrong},
      {"queries are written", Victim::kMma2, kAttention,
       "blk.store(blk.template view<T>(a.o, block.template window<1, 2>(b, 0, h, 0)), r0, o,\n     "
       " "
       "                 inverse);\n             if",
       "blk.store(blk.template view<T>(a.q, block.template window<1, 2>(b, 0, h, 0)), r0, o,\n     "
       " "
       "                 inverse);\n             if",
       "write to an input"},
      {"one row past the tensor is stored", Victim::kMma2, kBlock,
       "if (i >= valid || column >= N) return;", "if (i > valid || column >= N) return;", kOutside},
      {"one query past the tensor is loaded", Victim::kMma2, kBlock,
       "const int count = i < rows.valid ?", "const int count = i <= rows.valid ?", kOutside},
      {"a row's value is stored past the tensor", Victim::kMma2, kBlock,
       "A::writes_row(t_.lane()) && i < valid", "A::writes_row(t_.lane()) && i <= valid", kAny},
      {"row maxima are of one lane's columns", Victim::kMma2, kBlock,
       "exchange_rows(r, [](float a, float b) { return xmax(a, b); });", "", kWrong},
  };
  return bugs;
}

}  // namespace kiln::test
