// How to run a compiled variant on one problem, as JSON that is enough for a stranger: every size
// worked out, every argument at its place in the parameter buffer.
//
//     {"steps": [{"launch": "forward", "grid": [4, 8, 1], "block": [128, 1, 1],
//                 "scratchpad_bytes": 32768, "parameter_bytes": 240,
//                 "parameters": [{"offset": 0, "type": "pointer", "buffer": "q"},
//                                {"offset": 8, "type": "i64", "value": 4096,
//                                 "stride_of": "q", "axis": 0}, …]}],
//      "buffers": [{"name": "q", "role": "input", "dtype": "bf16", "shape": [1, 256, 8, 64],
//                   "strides": [131072, 512, 64, 1], "bytes": 262144, "alignment": 2, …}], …}
//
// Strides and offsets of elements count elements; everything else is in bytes. Values that a Read
// step supplies at run time are given as expressions.

#pragma once

#include "client/tunectl/json.h"
#include "core/plan.h"
#include "core/problem.h"
#include "core/status.h"

namespace kiln::tunectl {

StatusOr<Json> launch_sheet(const Plan& plan, const Problem& problem);

}  // namespace kiln::tunectl
