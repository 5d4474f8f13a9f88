// Tunables of the simt lowering's contractions (tile/simt/contraction_block.h), for the spaces of
// families whose kernels run along k. A family adds these to parameters of its own, of which
// block_m, block_n and block_k are looked at here.

#pragma once

#include <cstdint>
#include <vector>

#include "core/dtype.h"
#include "core/kernel_source.h"
#include "core/space.h"
#include "core/target.h"

namespace kiln::schedules {

// What a contraction reads: whether k runs down the rows of its operands as they lie in memory.
struct Operands {
  Dtype dtype;
  bool left_down, right_down;
};

// fragment, warps, column_warps, stages, swizzle
std::vector<Parameter> contraction_parameters(const Target& target, Dtype dtype);

// That warps share the tile, that the fragment takes the swizzle and the number of stages, and that
// a block fits the target's threads, scratchpad and registers.
std::vector<Constraint> contraction_constraints(const Target& target, const Operands& operands);

// The members by which kernels' configs name the schedule.
std::vector<KernelSource::Member> contraction_members(const Config& config);

// Bytes of scratchpad that a block takes.
int64_t contraction_scratchpad(const Config& config, const Operands& operands);

// Rows and columns of the least tile that the warps share.
struct LeastTile {
  int64_t rows, columns;
};
LeastTile least_tile(const Config& config);

// Whether a thread's registers hold the tile without spilling, for defaults. Spaces admit more:
// compilers often do better than this estimate.
bool holds_contraction(const Config& config, const Target& target, Dtype dtype);

}  // namespace kiln::schedules
