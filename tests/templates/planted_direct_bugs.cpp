// Of chunks that are staged in turn or directly, and of blocks on chiplets.

#include "tests/templates/planted_bugs.h"

namespace kiln::test {
namespace {

constexpr const char* kRing = "tile/simt/ring.h";
constexpr const char* kChunks = "tile/simt/chunks.h";
constexpr const char* kStage = "tile/simt/stage.h";
constexpr const char* kShared = "tile/simt/shared.h";
constexpr const char* kChiplets = "tile/simt/chiplets.h";
constexpr const char* kGrid = "tile/simt/grid_block.h";

}  // namespace

const std::vector<PlantedBug>& direct_bugs() {
  static const std::vector<PlantedBug> bugs = {
      {"in turn: no barrier before a slot's use", Victim::kMfmaInTurn, kRing,
       "t.block_barrier();\n      use(first, base);", "use(first, base);", kRace},
      {"in turn: no barrier after a slot's use", Victim::kMfmaInTurn, kRing,
       "use(first, base);\n      t.retire(base, kSlot);\n      t.block_barrier();",
       "use(first, base);", kRace},
      {"in turn: values are moved to where keys lie", Victim::kMfmaInTurn, kChunks,
       "second.move(t, at + kSecond, from);", "second.move(t, at, from);", kAny},
      {"in turn: the first chunk is moved again", Victim::kMfmaInTurn, kRing,
       "chunks.move(t, base, first);", "chunks.move(t, base, lo);", kWrong},
      {"in turn: a swizzle on the writing side only", Victim::kMfmaInTurn, kStage,
       "t.sts(at + Layout::offset(row, column),\n            detail::load_chunk",
       "t.sts(at + SharedTile<T, R, C, Swizzle::none>::offset(row, column),\n            "
       "detail::load_chunk",
       kWrong},
      {"direct, one slot: no wait", Victim::kMfmaDirect1, kRing,
       "t.template copy_wait<0>();\n      } else {\n        chunks.move",
       "} else {\n        chunks.move", kInFlight},
      {"direct, two slots: no wait", Victim::kMfmaDirect2, kRing,
       "t.copy_commit();\n        t.template copy_wait<0>();\n      } else {\n        chunks.put",
       "t.copy_commit();\n      } else {\n        chunks.put", kInFlight},
      {"direct, two slots: into the slot in use", Victim::kMfmaDirect2, kRing,
       "fetch(first + step, slot ^ 1);", "fetch(first + step, slot);", kAny},
      {"direct, two slots: no barrier before a slot's use", Victim::kMfmaDirect2, kRing,
       "t.block_barrier();\n      if (first + step", "if (first + step", kRace},
      {"direct: the way through the view is not swizzled", Victim::kMfmaDirect1, kShared,
       "at / kChunkBytes % kChunks ^ key((int)row);", "at / kChunkBytes % kChunks;", kWrong},
      {"direct: lanes do not write side by side", Victim::kMfmaDirect1, kStage,
       "t.copy_direct(at + 4 * (u32)i, from, whole);",
       "t.copy_direct(at + SharedTile<T, R, C, Swizzle::none>::offset(e.row, e.column), from, "
       "whole);",
       kScattered},
      {"direct: a lane leaves a copy out", Victim::kMfmaDirect1, kStage,
       "t.copy_direct(at + 4 * (u32)i, from, whole);",
       "if (whole) t.copy_direct(at + 4 * (u32)i, from, whole);", kDivergence},
      {"direct: one row past the view is copied", Victim::kMfmaDirect2, kStage,
       "const int n = e.row < w.rows ?", "const int n = e.row <= w.rows ?", kOutside},
      {"direct: rows past the view hold nothing", Victim::kMfmaDirect2, kStage,
       "if (!whole && e.column < C)", "if (n > 0 && !whole && e.column < C)", kUninitialised},
      {"chiplets: runs overlap", Victim::kChiplets, kChiplets, "(chiplet < more ? chiplet : more)",
       "0", kAny},
      {"chiplets: a block takes another's number", Victim::kChiplets, kGrid, "t_.block(0) + x * (",
       "t_.block(0) + y * (", kAny},
  };
  return bugs;
}

}  // namespace kiln::test
