
#include "client/tunectl/commands/commands.h"
#include "client/tunectl/job_watch.h"
#include "client/tunectl/table.h"
#include "client/tunectl/winner_text.h"

namespace kiln::tunectl {
namespace {

Status watch(Session& session, int64_t id) {
  KILN_ASSIGN_OR_RETURN(const v1::Job job, watch_job(session, id));
  Status end = end_of(job);
  Json winner = nullptr;
  if (end.ok()) {
    KILN_ASSIGN_OR_RETURN(const v1::Winner found, fetch_winner(session, job.winner_id()));
    winner = to_json(found);
    if (!session.json()) {
      session.out().write(render_details(session.out(), winner_details(session, found)));
    }
  }
  if (session.json()) session.print({{"job", to_json(job)}, {"winner", winner}});
  return end;
}

}  // namespace

Action declare_watch(OptionSet& set) {
  auto id = std::make_shared<int64_t>(0);
  set.id(*id, "Job, as `tunectl jobs` lists it");
  return [id](Session& session) { return watch(session, *id); };
}

}  // namespace kiln::tunectl
