#include <fmt/format.h>

#include "client/tunectl/commands/commands.h"
#include "client/tunectl/job_text.h"
#include "client/tunectl/table.h"
#include "client/tunectl/units.h"

namespace kiln::tunectl {
namespace {

std::string result_text(const v1::Job& job) {
  if (job.state() == v1::Job::STATE_SUCCEEDED) return fmt::format("winner {}", job.winner_id());
  if (job.state() == v1::Job::STATE_RUNNING && job.progress().best_ns() > 0) {
    return fmt::format("best so far {}", time_text(job.progress().best_ns()));
  }
  return job.error();
}

Status jobs(Session& session, bool all) {
  std::vector<v1::Job::State> states;
  if (!all) states = {v1::Job::STATE_QUEUED, v1::Job::STATE_RUNNING};
  KILN_ASSIGN_OR_RETURN(const std::vector<v1::Job> found, session.api().jobs(states));
  if (session.json()) {
    Json document = {{"jobs", Json::array()}};
    for (const auto& job : found)
      document["jobs"].push_back(to_json(job));
    session.print(document);
    return absl::OkStatus();
  }
  if (found.empty()) {
    session.note(all ? "no jobs yet" : "no jobs waiting or running; --all lists those that ended");
    return absl::OkStatus();
  }
  Table table({{"job", Align::kRight},
               {"state"},
               {"problem", Align::kLeft, Fit::kWrap},
               {"device", Align::kLeft, Fit::kCut},
               {"variants", Align::kRight},
               {"created", Align::kRight},
               {"result", Align::kLeft, Fit::kWrap}});
  const int64_t now = absl::ToUnixSeconds(session.now());
  for (const v1::Job& job : found) {
    const bool running = job.state() == v1::Job::STATE_RUNNING;
    table.add({{std::to_string(job.id())},
               {state_text(job.state()), state_style(job.state())},
               {fmt::format("{} {}", job.family(),
                            session.schemas().short_text(job.family(), job.problem()))},
               {job.device()},
               {count_text(running ? job.progress().measured() : job.evaluations())},
               {ago_text(job.created_at().seconds(), now)},
               {result_text(job)}});
  }
  session.out().write(table.render(session.out()));
  return absl::OkStatus();
}

}  // namespace

Action declare_jobs(OptionSet& set) {
  auto all = std::make_shared<bool>(false);
  set.flag("--all", *all, "Also those that ended");
  return [all](Session& session) { return jobs(session, *all); };
}

}  // namespace kiln::tunectl
