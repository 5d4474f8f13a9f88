// What attention_forward must compute: one query row at a time, in double precision.

#pragma once

#include <span>
#include <string>

#include "core/family.h"
#include "templates/attention_forward/problem.h"

namespace kiln::attention_forward {

// Unit u is query u % seq_q of query head u / seq_q % heads_q of sequence u / seq_q / heads_q.
void reference_row(const AttentionProblem& problem, std::span<const HostTensor> tensors,
                   int64_t unit, ReferenceSink& sink);

std::string attention_tolerance();

}  // namespace kiln::attention_forward
