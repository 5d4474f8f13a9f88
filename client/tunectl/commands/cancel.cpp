#include <fmt/format.h>

#include "client/tunectl/commands/commands.h"
#include "client/tunectl/job_text.h"

namespace kiln::tunectl {
namespace {

Status cancel(Session& session, int64_t id) {
  KILN_ASSIGN_OR_RETURN(const v1::Job job, session.api().cancel_job(id));
  if (session.json()) {
    session.print(to_json(job));
  } else {
    session.out().write(fmt::format("job {}: {}\n", job.id(), state_text(job.state())));
  }
  return absl::OkStatus();
}

}  // namespace

Action declare_cancel(OptionSet& set) {
  auto id = std::make_shared<int64_t>(0);
  set.id(*id, "Job, as `tunectl jobs` lists it");
  return [id](Session& session) { return cancel(session, *id); };
}

}  // namespace kiln::tunectl
