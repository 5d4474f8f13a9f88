// Follows a tuning job to its end, with progress, and says how it ended.

#pragma once

#include <cstdint>

#include "client/tunectl/session.h"
#include "core/status.h"
#include "kiln/v1/kiln.pb.h"

namespace kiln::tunectl {

// Blocks until the job is over and returns it, whatever its end. Ctrl-C: a daemon's job goes on and
// the failure says how to find it again; an embedded job is cancelled first.
StatusOr<v1::Job> watch_job(Session& session, int64_t id);

// OK for a job that succeeded; else why not, with the exit code for it.
Status end_of(const v1::Job& job);

bool is_over(const v1::Job& job);

}  // namespace kiln::tunectl
