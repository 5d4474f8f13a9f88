// What a block of the simt lowering takes, and which schedules are possible: one text for kernels,
// which allocate with it, and for families, which prune configs with it. Plain C++; it includes
// nothing but the schedule's enumerations.

#pragma once

#include "tile/schedule.h"

namespace tile::footprint {

constexpr int kPanelBytes = 128;
// Rows, columns and depth of an atom, the product that all fragments make steps of.
constexpr int kAtom = 16;
constexpr int kBanks = 32;

constexpr int up_to(int n, int multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// ---- scratchpad

// SharedTile's bytes.
constexpr unsigned tile_bytes(int rows, int columns, int element_bytes, int panel) {
  return (unsigned)(rows * up_to(columns * element_bytes, panel));
}
// SharedPairs' words a pair of rows, and bytes.
constexpr int pair_pitch(int columns) {
  return up_to(columns, kBanks);
}
constexpr unsigned pairs_bytes(int rows, int columns) {
  return (unsigned)(rows / 2 * pair_pitch(columns) * 4);
}

// Whether right operands with k down the rows are interleaved in pairs.
constexpr bool takes_pairs(Fragment f) {
  return f == Fragment::mfma_16x16x16 || f == Fragment::wmma_gfx11 || f == Fragment::wmma_gfx12;
}

// Whether products are of warpgroups: asynchronous, with operands straight from scratchpad.
constexpr bool takes_groups(Fragment f) {
  return f == Fragment::wgmma_m64k16;
}
// Warps that make products together.
constexpr int group_warps(Fragment f) {
  return takes_groups(f) ? 4 : 1;
}

// The widest panel that a row fills: products of warpgroups take whole ones.
constexpr int panel_bytes(Fragment f, int row_bytes) {
  return !takes_groups(f) || row_bytes % 128 == 0 ? 128 : row_bytes % 64 == 0 ? 64 : 32;
}

// Whether chunks are copied asynchronously: interleaving them takes registers.
constexpr bool copies_async(Fragment f, bool async_copy) {
  return async_copy && !takes_pairs(f);
}

constexpr unsigned rows_bytes(Fragment f, int rows, int columns, int element_bytes) {
  return tile_bytes(rows, columns, element_bytes, panel_bytes(f, columns * element_bytes));
}
constexpr unsigned columns_bytes(Fragment f, int rows, int columns, int element_bytes) {
  return takes_pairs(f) ? pairs_bytes(rows, columns) : rows_bytes(f, rows, columns, element_bytes);
}
// A left operand, where it is not held in registers: groups read it from scratchpad, other products
// take it from there with `parks`.
constexpr unsigned left_bytes(Fragment f, int rows, int depth, int element_bytes,
                              bool parks = false) {
  const int padded = up_to(depth, kAtom);
  return takes_groups(f) ? rows_bytes(f, rows, padded, element_bytes)
         : parks         ? (unsigned)(rows * padded * element_bytes)
                         : 0;
}

// Barriers of a slot, filled and free, for both of its operands.
constexpr unsigned kSlotBarriers = 4 * 8;

// Scratchpad of the key loop (`stream`): the left operand, `stages` slots of a chunk of both right
// operands, and with a producer their barriers.
constexpr unsigned stream_bytes(Fragment f, int block_m, int block_n, int depth, int element_bytes,
                                int stages, Roles roles, bool parks_left) {
  const int padded = up_to(depth, kAtom);
  return left_bytes(f, block_m, depth, element_bytes, parks_left) +
         (roles == Roles::alike ? 0 : (unsigned)stages * kSlotBarriers) +
         (unsigned)stages * (rows_bytes(f, block_n, padded, element_bytes) +
                             columns_bytes(f, block_n, padded, element_bytes));
}

// Scratchpad of a chunk of one operand of a contraction: `size` rows or columns by `block_k` of k,
// which runs along its rows or down.
constexpr unsigned operand_bytes(Fragment f, bool down, int size, int block_k, int element_bytes) {
  return down ? columns_bytes(f, block_k, size, element_bytes)
              : rows_bytes(f, size, block_k, element_bytes);
}
// Scratchpad of a contraction: `stages` slots of a chunk of both operands.
constexpr unsigned contraction_bytes(Fragment f, bool left_down, bool right_down, int block_m,
                                     int block_n, int block_k, int element_bytes, int stages) {
  return (unsigned)stages * (operand_bytes(f, left_down, block_m, block_k, element_bytes) +
                             operand_bytes(f, right_down, block_n, block_k, element_bytes));
}

// ---- threads

// Values that a thread of lane items keeps in registers: half of what it may have.
constexpr int kItemRegisters = 64;

// Lanes whose left fragments differ: those of gfx11 are held twice.
constexpr int left_lanes(Fragment f, int warp_lanes) {
  return f == Fragment::wmma_gfx11 ? warp_lanes / 2 : warp_lanes;
}
constexpr int threads(int warps, int warp_lanes) {
  return warps * warp_lanes;
}
// Of the warpgroup that only copies.
constexpr int kProducerThreads = 128;
constexpr int block_threads(int warps, int warp_lanes, Roles roles) {
  return threads(warps, warp_lanes) + (roles == Roles::alike ? 0 : kProducerThreads);
}
// Registers of a thread after those of a producer have been shared out among two warpgroups: a
// multiprocessor has 64 Ki, and threads have multiples of 8.
constexpr int kConsumerRegisters = 240, kProducerRegisters = 24;
constexpr bool shares_registers(int warps, Roles roles) {
  return roles != Roles::alike && warps == 8;
}

// 32-bit registers of a thread that a left operand takes which is held in them.
constexpr int left_registers(Fragment f, int block_m, int depth, int element_bytes, int warps,
                             int warp_lanes) {
  const int copies = takes_groups(f) ? 0 : warp_lanes / left_lanes(f, warp_lanes);
  return copies * block_m * up_to(depth, kAtom) * element_bytes / 4 / threads(warps, warp_lanes);
}

// Right operands whose chunk waits in registers ahead of its use, of both: none that are copied
// asynchronously or in turn; of direct copies those that are to be interleaved.
constexpr int held_operands(Fragment f, bool async_copy, Staging staging, int stages) {
  if (copies_async(f, async_copy) || staging == Staging::in_turn) return 0;
  if (staging == Staging::ahead) return 2;
  return takes_pairs(f) && stages > 1 ? 1 : 0;
}

// Those it holds tiles in during the key loop beside the left operand: accumulator, scores, and
// chunks of `held` right operands that pass through them ahead of their use. Compilers need more
// for addresses, rows and right fragments.
constexpr int stream_registers(int block_m, int block_n, int depth, int element_bytes, int warps,
                               int warp_lanes, int held) {
  const int padded = up_to(depth, kAtom), all = threads(warps, warp_lanes);
  const int tiles = block_m * padded + block_m * block_n;
  const int staged = held * block_n * padded * element_bytes / 4;
  return (tiles + staged) / all;
}

// Registers of fragments of 16 rows and columns, as contractions read them.
constexpr int left_fragment_registers(Fragment f) {
  return f == Fragment::mfma_16x16x16 ? 2 : f == Fragment::wmma_gfx11 ? 8 : 4;
}
constexpr int right_fragment_registers(Fragment f, int warp_lanes) {
  return f == Fragment::fma_16x16x16 ? 4 * kAtom * kAtom / warp_lanes : left_fragment_registers(f);
}

// The same of a contraction: its sums, the left operand's fragments and one of the right operand,
// and staged chunks of both where they pass through registers.
constexpr int contraction_registers(Fragment f, int block_m, int block_n, int block_k,
                                    int element_bytes, int warps, int column_warps, int warp_lanes,
                                    bool async_copy) {
  const int all = threads(warps, warp_lanes), row_warps = warps / column_warps;
  const int staged =
      copies_async(f, async_copy) ? 0 : (block_m + block_n) * block_k * element_bytes / 4;
  const int fragments = takes_groups(f) ? 0
                                        : block_m / row_warps / kAtom * left_fragment_registers(f) +
                                              right_fragment_registers(f, warp_lanes);
  return (block_m * block_n + staged) / all + fragments;
}

// ---- constraints, each true where a schedule is possible

// Of the least tile that warps share as a grid.
constexpr int least_rows(int warps, int column_warps) {
  return warps / column_warps * kAtom;
}
constexpr int least_columns(int column_warps) {
  return column_warps * kAtom;
}
constexpr bool rows_fit_warps(int block_m, int warps) {
  return block_m % (kAtom * warps) == 0;
}
// Warps as a grid over a contraction's tile.
constexpr bool tile_fits_warps(int block_m, int block_n, int warps, int column_warps) {
  return warps % column_warps == 0 && rows_fit_warps(block_m, warps / column_warps) &&
         rows_fit_warps(block_n, column_warps);
}
// Groups share rows out among themselves, never columns.
constexpr bool groups_fit_warps(Fragment f, int warps, int column_warps = 1) {
  return warps % group_warps(f) == 0 && (!takes_groups(f) || column_warps == 1);
}
// Producers need asynchronous products; two warpgroups at most share out their registers, and two
// take turns.
constexpr bool roles_possible(Fragment f, int warps, Roles roles) {
  return roles == Roles::alike ||
         (takes_groups(f) && (roles == Roles::ping_pong ? warps == 8 : warps <= 8));
}
constexpr bool keys_fit_atoms(int block_n) {
  return block_n % kAtom == 0;
}
// Slots: with asynchronous copies 1 to 4; through registers 1, or 2 to save a barrier a chunk.
constexpr bool stages_possible(int stages, bool async_copy) {
  return stages >= 1 && stages <= (async_copy ? 4 : 2);
}
// Through registers in turn takes one slot; only CDNA, with its waves of 64, copies directly.
constexpr bool staging_possible(Staging staging, int stages, bool async_copy, int warp_lanes) {
  return staging == Staging::ahead ||
         (!async_copy && (staging == Staging::in_turn ? stages == 1 : warp_lanes == 64));
}
// ldmatrix, wgmma and tensor maps share one swizzle.
constexpr bool swizzle_possible(Fragment f, Swizzle s) {
  return takes_groups(f)               ? s == Swizzle::exclusive
         : f == Fragment::mma_m16n8k16 ? s != Swizzle::folded
                                       : true;
}
constexpr bool fragment_suits(Fragment f, int element_bytes) {
  return (f == Fragment::fma_16x16x16) == (element_bytes == 4);
}

}  // namespace tile::footprint
