#include "tests/templates/planted_bugs.h"

namespace kiln::test {
namespace {

constexpr const char* kRing = "tile/simt/ring.h";
constexpr const char* kChunks = "tile/simt/chunks.h";
constexpr const char* kStage = "tile/simt/stage.h";
constexpr const char* kAtoms = "tile/simt/atom.h";
constexpr const char* kFmaAtom = "tile/simt/fma_atom.h";
constexpr const char* kBlock = "tile/simt/contraction_block.h";
constexpr const char* kTiles = "tile/simt/tiles.h";
constexpr const char* kGroupAtom = "tile/simt/wgmma_atom.h";
constexpr const char* kBands = "tile/bands.h";
constexpr const char* kRuns = "tile/simt/runs.h";
constexpr const char* kKernel = "gemm/kernel.h";

}  // namespace

const std::vector<PlantedBug>& contraction_bugs() {
  static const std::vector<PlantedBug> bugs = {
      {"no barrier before a slot is used and refilled", Victim::kGemmMma, kRing,
       "t.retire(base + next * kSlot, kSlot);\n      t.block_barrier();",
       "t.retire(base + next * kSlot, kSlot);", kRace},
      {"the left operand's chunk lies on the right one's", Victim::kGemmMma, kChunks,
       "second.copy(t, at + kSecond, from);", "second.copy(t, at, from);", kAny},
      {"k goes on past its end, along rows", Victim::kGemmMma, kChunks,
       "extent, (int)lmin(Layout::kColumns, length - first)}", "extent, (int)Layout::kColumns}",
       kOutside},
      {"k goes on past its end, down the rows", Victim::kGemmDown, kChunks,
       "{first, across, (int)lmin(Layout::kRows, length - first), extent}",
       "{first, across, (int)Layout::kRows, extent}", kOutside},
      {"a tile goes on past the last column of its operand", Victim::kGemmDown, kChunks,
       "length_across - from);", "length_across - from + 1);", kOutside},
      {"a row's last part is copied whole", Victim::kGemmMma, kStage, "n * (int)sizeof(T));",
       "(n > 0 ? kChunkBytes : 0));", kOutside},
      {"chunks follow each other too fast", Victim::kGemmMma, kBlock,
       "(t_, lo, hi, BK, chunks, use)", "(t_, lo, hi, BK + 16, chunks, use)", kWrong},
      {"all warps own the first columns", Victim::kGemmMma, kBlock,
       "t_.warp() % kColumnWarps * (BN / kColumnWarps)", "0 * (BN / kColumnWarps)", kWrong},
      {"rows of warps are counted as columns", Victim::kGemmMma, kBlock,
       "return t_.warp() / kColumnWarps;", "return t_.warp() % kRowWarps;", kWrong},
      {"one row past the result is stored", Victim::kGemmMma, kBlock, "if (i >= view.rows ||",
       "if (i > view.rows ||", kOutside},
      {"one column past the result is stored", Victim::kGemmMfma, kBlock, "(int)lmin(kRun, n - j);",
       "(int)lmin(kRun, n - j + 1);", kOutside},
      {"rows of the result are taken for aligned", Victim::kGemmGaps, kBlock,
       "rows_aligned(view, kRun * (int)sizeof(T))", "true", kMisaligned},
      {"neighbours are stored in the wrong order", Victim::kGemmMma, kRuns,
       "pack<T>(r.x[i], r.x[i + 1])", "pack<T>(r.x[i + 1], r.x[i])", kWrong},
      {"a column's bias is read past its end", Victim::kGemmGaps, kRuns,
       "r.x[i] = i < count ? load_element(t, p + i) : 0.f;", "r.x[i] = load_element(t, p + i);",
       kOutside},
      {"mma: the left operand's matrices in the wrong order", Victim::kGemmMma, kAtoms,
       "Shared::offset(first + matrix % 2 * 8 + i, k + matrix / 2 * 8)",
       "Shared::offset(first + matrix / 2 * 8 + i, k + matrix % 2 * 8)", kWrong},
      {"mma: the same of one that lies transposed", Victim::kGemmDown, kAtoms,
       "Shared::offset(k + matrix / 2 * 8 + i, first + matrix % 2 * 8)",
       "Shared::offset(k + matrix % 2 * 8 + i, first + matrix / 2 * 8)", kWrong},
      {"fma: a lane reads another row", Victim::kGemmFma, kFmaAtom,
       "Shared::offset(k + i, first + row(t.lane(), 0))", "Shared::offset(k + i, first)", kWrong},
      {"fma: columns of four exchanged", Victim::kGemmFma, kFmaAtom, "b.x[e + j][i] = x[j];",
       "b.x[e + j][i] = x[3 - j];", kWrong},
      {"fma: the last piece of a chunk is left out", Victim::kGemmFma, kBlock,
       "TILE_ROLL\n      for (int k = 0; k < BK; k += A::kPieceDepth)",
       "TILE_ROLL\n      for (int k = 0; k + A::kPieceDepth < BK; k += A::kPieceDepth)", kWrong},
      {"groups: a chunk's products are not waited for before its slot is filled again",
       Victim::kGemmGroups, kBlock, "A::template wait<0>(t_);", "", kInFlight},
      {"groups: the wait leaves one chunk too many", Victim::kGemmGroups, kBlock,
       "A::template wait<0>(t_);", "A::template wait<1>(t_);", kInFlight},
      {"groups: chunks are not made visible to products", Victim::kGemmGroups, kBlock,
       "pass_chunks<Config::stages, kAsync, kGroups>", "pass_chunks<Config::stages, kAsync, false>",
       kUnfenced},
      {"groups: the second group takes the first's rows", Victim::kGemmGroups, kBlock,
       "S::template group_row<BM>(row_warp(), 0), b.at);", "0, b.at);", kWrong},
      {"groups: rows of a group's products follow each other", Victim::kGemmGroup, kTiles,
       "warp % AtomType::kGroupWarps * footprint::kAtom;", "warp % AtomType::kGroupWarps;", kWrong},
      {"groups: a left operand with k down its rows is taken for one with k along",
       Victim::kGemmGroup, kGroupAtom,
       "return kDown ? descriptor<Shared>(t, at, k, i) : descriptor<Shared>(t, at, i, k);",
       "return descriptor<Shared>(t, at, i, k);", kAny},
      {"groups: operands' ways are exchanged", Victim::kGemmGroups, kGroupAtom,
       "LeftOperand::kDownRows, RightOperand::kDownRows>",
       "RightOperand::kDownRows, LeftOperand::kDownRows>", kAny},
      {"groups: a chunk overwrites the sums of the one before", Victim::kGemmGroups, kGroupAtom,
       "kAdd || k > 0);", "k > 0);", kWrong},
      {"groups: the second product of rows takes the first's", Victim::kGemmGroup, kGroupAtom,
       "row + m * 64, k)", "row, k)", kWrong},
      {"residuals are of the first batch", Victim::kGemmGaps, kKernel, "residual(blk, args, z));",
       "residual(blk, args, 0));", kWrong},
      {"an operand's batch is forgotten", Victim::kGemmGaps, kKernel,
       "return k_along_rows(blk.template view<const T>(args.a, rows_along<1>(args.m, z, 0, 0)),",
       "return k_along_rows(blk.template view<const T>(args.a, rows_along<1>(args.m, 0, 0, 0)),",
       kWrong},
      {"the last band is taken for as wide as the others", Victim::kGemmBands, kBands,
       "seconds - begin < band ? seconds - begin : band", "band", kAny},
      {"every band is the first", Victim::kGemmBands, kBands, "begin + within % width",
       "within % width", kAny},
      {"bands of another axis", Victim::kGemmBands, kKernel,
       "at.first + at.second * firsts, firsts, seconds",
       "at.first + at.second * firsts, seconds, firsts", kAny},
      {"parts overlap by a chunk", Victim::kGemmSplit, kKernel, "lmin(args.k, lo + share)",
       "lmin(args.k, lo + share + BK)", kWrong},
      {"every part is the first", Victim::kGemmSplit, kKernel, "lo = part * share;",
       "lo = 0 * share;", kWrong},
      {"the last part goes on past the end of k", Victim::kGemmSplit, kKernel,
       "lmin(args.k, lo + share)", "lo + share", kOutside},
      {"parts write over each other", Victim::kGemmSplit, kKernel,
       "rows_along<2>(args.m, part, z, 0, 0)", "rows_along<2>(args.m, 0, z, 0, 0)", kAny},
      {"a part is left out of the sum", Victim::kGemmSplit, kRuns, "n < Count; ++n",
       "n < Count - 1; ++n", kWrong},
      {"the first part is added again and again", Victim::kGemmSplit, kRuns,
       "first + n * input.stride + e", "first + e", kWrong},
      {"beta is applied before the activation", Victim::kGemmGaps, kKernel,
       "return xfma(c, beta, y);", "return activate<C::activation>(xfma(c, beta, y));", kWrong},
  };
  return bugs;
}

}  // namespace kiln::test
