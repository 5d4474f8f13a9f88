
#include "client/tunectl/commands/commands.h"
#include "client/tunectl/report_table.h"
#include "client/tunectl/table.h"
#include "client/tunectl/units.h"
#include "client/tunectl/winner_filter.h"
#include "client/tunectl/winner_text.h"

namespace kiln::tunectl {
namespace {

struct Options {
  WinnerFilterOptions filter;
  bool details = false;
};

std::string winners_table(Session& session, const std::vector<v1::Winner>& winners) {
  Table table({{"id", Align::kRight},
               {"problem", Align::kLeft, Fit::kWrap},
               {"time", Align::kRight},
               {"rate", Align::kRight},
               {"gain", Align::kRight},
               {"tuned", Align::kRight},
               {""}});
  const int64_t now = absl::ToUnixSeconds(session.now());
  for (const v1::Winner& winner : winners) {
    const v1::Timing& timing = winner.measurement().timing();
    table.add({{std::to_string(winner.id()), Style::kBold},
               {problem_text(session, winner)},
               {time_text(timing.median_ns())},
               {rate_text(winner.cost(), timing)},
               {ratio_text(gain(winner.measurement(), winner.baseline()))},
               {ago_text(winner.created_at().seconds(), now)},
               {winner.stale()   ? "stale"
                : timing.noisy() ? "noisy"
                                 : "",
                Style::kWarning}});
  }
  return table.render(session.out());
}

Status list(Session& session, const Options& options) {
  KILN_ASSIGN_OR_RETURN(const v1::WinnerFilter filter, winner_filter(session, options.filter));
  KILN_ASSIGN_OR_RETURN(const std::vector<v1::Winner> winners, fetch_winners(session, filter));
  if (session.json()) {
    Json document = {{"winners", Json::array()}};
    for (const auto& winner : winners)
      document["winners"].push_back(to_json(winner));
    session.print(document);
    return absl::OkStatus();
  }
  if (winners.empty()) {
    session.note("nothing tuned yet that matches; `tunectl tune FAMILY field=value …` tunes");
    return absl::OkStatus();
  }
  session.out().write(options.details ? report_table(session, winners)
                                      : winners_table(session, winners));
  return absl::OkStatus();
}

}  // namespace

Action declare_list(OptionSet& set) {
  auto options = std::make_shared<Options>();
  declare_winner_filter(set, options->filter);
  set.flag("--details", options->details, "With config, part of the peak and verified error");
  return [options](Session& session) { return list(session, *options); };
}

Action declare_report(OptionSet& set) {
  auto options = std::make_shared<Options>();
  declare_winner_filter(set, options->filter);
  options->details = true;
  return [options](Session& session) { return list(session, *options); };
}

}  // namespace kiln::tunectl
