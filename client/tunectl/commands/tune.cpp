#include <fmt/format.h>

#include "client/tunectl/commands/commands.h"
#include "client/tunectl/failure.h"
#include "client/tunectl/job_watch.h"
#include "client/tunectl/problem_words.h"
#include "client/tunectl/table.h"
#include "client/tunectl/tune_options.h"
#include "client/tunectl/winner_text.h"

namespace kiln::tunectl {
namespace {

struct Options {
  std::vector<std::string> words;
  bool background = false;
  TuneOptions tune;
};

Status report_queued(Session& session, const v1::Job& job) {
  if (session.json()) {
    session.print({{"job", to_json(job)}, {"winner", nullptr}});
    return absl::OkStatus();
  }
  session.out().write(
      fmt::format("job {} is queued; `tunectl watch {}` shows it, `tunectl cancel {}` ends it\n",
                  job.id(), job.id(), job.id()));
  return absl::OkStatus();
}

Status tune(Session& session, const Options& options) {
  KILN_ASSIGN_OR_RETURN(const v1::Problem problem, parse_problem(options.words));
  if (options.background && session.options().embedded) {
    return usage_error(
        "--background needs a daemon that goes on; it cannot be used with --embedded");
  }
  KILN_ASSIGN_OR_RETURN(v1::CreateJobRequest request, job_request(problem, options.tune));
  request.set_background(options.background);
  KILN_ASSIGN_OR_RETURN(v1::Job job, session.api().create_job(request));
  if (options.background) return report_queued(session, job);

  if (!is_over(job)) {
    session.note(fmt::format("job {}: {}", job.id(), text_of(problem)));
    KILN_ASSIGN_OR_RETURN(job, watch_job(session, job.id()));
  } else if (!options.tune.force) {
    session.note("tuned already; --force tunes it again");
  }
  const Status end = end_of(job);
  if (!end.ok()) {
    if (session.json()) session.print({{"job", to_json(job)}, {"winner", nullptr}});
    return end;
  }
  KILN_ASSIGN_OR_RETURN(const v1::Winner winner, fetch_winner(session, job.winner_id()));
  if (session.json()) {
    session.print({{"job", to_json(job)}, {"winner", to_json(winner)}});
  } else {
    session.out().write(render_details(session.out(), winner_details(session, winner)));
  }
  return absl::OkStatus();
}

}  // namespace

Action declare_tune(OptionSet& set) {
  auto options = std::make_shared<Options>();
  set.words("problem", options->words, OptionSet::Need::kRequired, "FAMILY field=value …");
  declare_tune_options(set, options->tune);
  set.flag("--background", options->background, "Queue it at low priority and return at once");
  return [options](Session& session) { return tune(session, *options); };
}

}  // namespace kiln::tunectl
