// What a compiled variant takes of a GPU, entry by entry, and whether it is worth running at all:
// decided before anything is measured.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/plan.h"
#include "core/problem.h"
#include "core/status.h"
#include "core/target.h"
#include "devices/compiler.h"
#include "devices/gpu/architecture.h"

namespace kiln::tuner {

// Spilled bytes a thread beyond which a variant is not measured: a few registers put aside outside
// of loops cost little.
inline constexpr int64_t kMaxSpillBytes = 64;

struct EntryResources {
  devices::ResourceUse use;
  int threads = 1;                              // of a block
  int64_t scratchpad_bytes = 0;                 // of a block, dynamic part included
  std::optional<devices::Occupancy> occupancy;  // none where it cannot be launched
};

struct Resources {
  std::vector<EntryResources> entries;  // those that the plan launches, in its order
  Status verdict;  // RESOURCE_EXHAUSTED says what is too much; OK: may be measured
};

// `used` as the compiler reports it. Targets that are no GPU: nothing to say, and OK.
Resources resources_of(const Target& target, const Plan& plan, const Problem& problem,
                       std::span<const devices::ResourceUse> used,
                       int64_t max_spill_bytes = kMaxSpillBytes);

}  // namespace kiln::tuner
