// The table of winners with all that was measured about them.

#pragma once

#include <string>
#include <vector>

#include "client/tunectl/session.h"

namespace kiln::tunectl {

// problem, config, time, GFLOP/s or GB/s, part of the machine's measured peak, gain over the
// default config, verified error over its tolerance; a line below with the geometric mean gain.
std::string report_table(Session& session, const std::vector<v1::Winner>& winners);

}  // namespace kiln::tunectl
