// What tiles of the wide lowering take: one text for the kernels, which size their arrays with it,
// and for the families, which prune configs with it. Plain C++; it includes nothing.

#pragma once

namespace tile::footprint {

// Staged rows are padded by one cache line, lest rows of 2^k bytes fall into the same cache sets.
constexpr int kRowPadding = 16;

// Lanes of 32 bits that a staged right operand takes: `rows` rows of `columns` lanes.
constexpr int staged_lanes(int rows, int columns) {
  return rows * (columns + kRowPadding);
}

// Vector registers that one register block needs: its accumulators, a column of the left operand
// and one broadcast element. A block that needs more than the machine has spills.
constexpr int registers(int register_rows, int register_columns) {
  return register_rows * register_columns + register_rows + 1;
}
constexpr int available_registers(int lanes) {
  return lanes == 16 ? 32 : 16;
}

// Rows of a register block's panel of a tile.
constexpr int panel_rows(int lanes, int register_rows) {
  return lanes * register_rows;
}

constexpr int round_up(int n, int to) {
  return (n + to - 1) / to * to;
}

// Bytes of stack for the key loop (`stream`) with its tiles: the left operand, the accumulator, the
// scores, and both staged right operands. `depth` is the length of a row; four-byte lanes
// throughout, an upper bound where pairs share a lane.
constexpr long long stream_bytes(int block_m, int block_n, int depth, int lanes) {
  const int padded = round_up(depth, lanes);
  const long long values = 2ll * block_m * padded + 1ll * block_m * block_n +
                           2ll * staged_lanes(block_n, padded) + 16ll * block_m;
  return 4 * values + 8192;
}

// ---- contractions with a packed right operand

constexpr int panel_columns(int lanes, int register_vectors) {
  return lanes * register_vectors;
}
// Lanes of one panel of `depth` (of k, or of pairs of k): padded by cache lines, lest the same k of
// all panels fall into one cache set. Squares that are transposed fill whole vectors of k.
constexpr int panel_lanes(int depth, int panel) {
  return round_up(round_up(depth, 16) * panel, 16) + kRowPadding;
}
// Between rows of a copied left operand that hold `depth` lanes.
constexpr int left_stride(int depth) {
  return round_up(depth, 16) + kRowPadding;
}
// Bytes of scratch, whole cache lines each: panels of the right operand; `rows` rows of the left
// one, as rows or as groups of rows; and the sums.
constexpr unsigned panels_bytes(int panels, int depth, int panel) {
  return 4u * unsigned(panels) * unsigned(panel_lanes(depth, panel));
}
constexpr unsigned left_bytes(int rows, int depth, int group) {
  const int as_rows = rows * left_stride(depth);
  const int as_groups = round_up(rows, group) / group * panel_lanes(depth, group);
  return 4u * unsigned(as_rows > as_groups ? as_rows : as_groups);
}
constexpr unsigned sums_bytes(int block_m, int block_n, int group) {
  return unsigned(round_up(4 * round_up(block_m, group) * (block_n + kRowPadding), 64));
}
// Bytes of stack for few rows: the sums and a copy of the left operand's chunk.
constexpr long long few_rows_bytes(int block_m, int block_n, int block_k, int lanes) {
  return 4ll * block_m * (round_up(block_n, lanes) + round_up(block_k, lanes)) + 4096;
}

}  // namespace tile::footprint
