// The parts of a job as people read them.

#pragma once

#include <string>

#include "client/tunectl/table.h"
#include "kiln/v1/kiln.pb.h"

namespace kiln::tunectl {

std::string state_text(v1::Job::State state);  // "running"
Style state_style(v1::Job::State state);
std::string verdict_text(v1::Verdict verdict);  // "out of bounds"

}  // namespace kiln::tunectl
