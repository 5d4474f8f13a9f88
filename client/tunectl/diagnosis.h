// What works on this machine, with a daemon or without.

#pragma once

#include <vector>

#include "client/tunectl/session.h"

namespace kiln::tunectl {

// The service's own findings, after a line about the daemon. When no daemon answers, the service
// is opened in this process to look; a failure to open it is a line like the others. The daemon's
// absence is told but nothing that is missing: --embedded works without.
std::vector<v1::DiagnoseResponse::Line> diagnose(Session& session);

}  // namespace kiln::tunectl
