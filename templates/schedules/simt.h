// Tunables of the simt lowering's products (tile/schedule.h), for the spaces of families whose
// kernels own tiles. A family adds these to parameters of its own, of which block_m and block_n are
// looked at here.

#pragma once

#include <cstdint>
#include <vector>

#include "core/dtype.h"
#include "core/kernel_source.h"
#include "core/plan.h"
#include "core/space.h"
#include "core/target.h"
#include "templates/tile/schedule.h"

namespace kiln::schedules {

// Whether configs have a parameter `roles`: some fragment takes a producer.
bool has_roles(const Target& target, Dtype dtype);

// fragment, warps, stages, swizzle
std::vector<Parameter> schedule_parameters(const Target& target, Dtype dtype);
// These, and roles and copies where there are any.
std::vector<Parameter> simt_parameters(const Target& target, Dtype dtype);

// That warps share the rows, that the fragment takes the swizzle and the number of stages, and that
// a block fits the target's threads, scratchpad and registers. `depth` is the length of a row of
// the key loop's operands.
std::vector<Constraint> simt_constraints(const Target& target, Dtype dtype, int64_t depth);

// Chiplets of the target, each of which has a cache of its own.
int64_t chiplets(const Target& target);
// chiplets, where the target has several: which of them works at neighbouring blocks.
std::vector<Parameter> grid_parameters(const Target& target);

// staging and left_operand, of kernels that run a key loop with a left operand of block_m rows.
std::vector<Parameter> key_loop_parameters(const Target& target, Dtype dtype);
std::vector<Constraint> key_loop_constraints(const Target& target, Dtype dtype, int64_t depth);

// Of these, what concerns no tile: the fragment's swizzle and number of stages, the block's
// threads.
std::vector<Constraint> schedule_constraints(const Target& target);

// The members by which kernels' configs name the schedule.
std::vector<KernelSource::Member> simt_members(const Config& config);

// The target's fragments that suit the type, best first; multiply-adds where none does.
std::vector<tile::Fragment> best_fragments(const Target& target, Dtype dtype);

tile::Fragment fragment_of(const Config& config);

// Whether chunks come by bulk copies, for which kernels take tensor maps.
bool copies_in_bulk(const Config& config);
// The map for chunks of `block_rows` rows that follow this axis of a buffer, whose last axis has a
// constant size.
Argument tensor_map(const Config& config, const Buffer& buffer, int row_axis, int block_rows);

// Bytes of scratchpad that the key loop takes.
int64_t stream_scratchpad(const Config& config, Dtype dtype, int64_t depth);

// Whether a thread's registers hold the key loop without spilling, for defaults. Spaces admit more:
// compilers often do better than this estimate.
bool holds_key_loop(const Config& config, const Target& target, Dtype dtype, int64_t depth);

// Block and scratchpad of a launch.
void set_block(Launch& launch, const Config& config, const Target& target,
               int64_t scratchpad_bytes);

}  // namespace kiln::schedules
