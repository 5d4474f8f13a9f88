#include "client/tunectl/job_watch.h"

#include <fmt/format.h>

#include "client/tunectl/failure.h"
#include "client/tunectl/progress.h"
#include "client/tunectl/text.h"
#include "client/tunectl/units.h"

namespace kiln::tunectl {
namespace {

Status interrupted(const Session& session, const v1::Job& job, int64_t id) {
  if (session.options().embedded) {
    return failure(
        ExitCode::kInterrupted,
        fmt::format("interrupted after {}", counted_text(job.progress().measured(), "measurement")),
        "they are kept: the same command goes on from there");
  }
  return failure(
      ExitCode::kInterrupted, fmt::format("no longer watching; job {} goes on in the daemon", id),
      fmt::format("`tunectl watch {0}` shows it again, `tunectl cancel {0}` ends it", id));
}

}  // namespace

bool is_over(const v1::Job& job) {
  return job.state() == v1::Job::STATE_SUCCEEDED || job.state() == v1::Job::STATE_FAILED ||
         job.state() == v1::Job::STATE_CANCELLED;
}

StatusOr<v1::Job> watch_job(Session& session, int64_t id) {
  ProgressPrinter progress(session.err(), session.clock());
  v1::Job last;
  const Status status = session.api().watch_job(id, [&](const v1::Job& job) {
    last = job;
    if (!session.options().quiet && !is_over(job)) progress.update(job);
  });
  progress.finish();
  if (session.stopped().stop_requested() && last.state() != v1::Job::STATE_SUCCEEDED) {
    return interrupted(session, last, id);
  }
  if (is_over(last)) return last;
  KILN_RETURN_IF_ERROR(status);
  return failure(ExitCode::kFailed, fmt::format("the watch of job {} ended too early", id),
                 fmt::format("`tunectl watch {}` shows it again", id));
}

Status end_of(const v1::Job& job) {
  switch (job.state()) {
    case v1::Job::STATE_SUCCEEDED:
      return absl::OkStatus();
    case v1::Job::STATE_CANCELLED:
      return failure(ExitCode::kFailed, fmt::format("job {} was cancelled", job.id()),
                     "its measurements are kept: tuning the problem again goes on from there");
    default:
      break;
  }
  const bool tried = job.progress().rejected_size() > 0 || job.evaluations() > 0;
  const bool none_worked = tried && job.progress().measured() == 0;
  return failure(none_worked ? ExitCode::kNoWorkingVariant : ExitCode::kFailed,
                 fmt::format("job {} failed: {}", job.id(), safe_text(job.error())),
                 none_worked ? "`tunectl doctor` says what this machine lacks" : "");
}

}  // namespace kiln::tunectl
