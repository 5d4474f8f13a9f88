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

}  // namespace tile::footprint
