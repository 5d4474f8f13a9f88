#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "absl/strings/str_split.h"
#include "client/tunectl/commands/commands.h"
#include "client/tunectl/histogram.h"
#include "client/tunectl/job_text.h"
#include "client/tunectl/table.h"
#include "client/tunectl/text.h"
#include "client/tunectl/units.h"
#include "client/tunectl/winner_text.h"
#include "proto/problem.h"

namespace kiln::tunectl {
namespace {

constexpr size_t kBestShown = 5;
constexpr int kReasonWidth = 200;

using Measurements = google::protobuf::RepeatedPtrField<v1::Measurement>;

bool was_timed(const v1::Measurement& measurement) {
  return measurement.verdict() == v1::VERDICT_OK ||
         measurement.verdict() == v1::VERDICT_DROPPED_EARLY;
}

void print_distribution(Session& session, const v1::Winner& winner,
                        const Measurements& measurements) {
  std::vector<double> times;
  int dropped = 0;
  for (const auto& measurement : measurements) {
    if (was_timed(measurement)) times.push_back(measurement.timing().median_ns());
    dropped += measurement.verdict() == v1::VERDICT_DROPPED_EARLY;
  }
  Terminal& out = session.out();
  out.write(fmt::format("\n{}: {} right, of these {} dropped early; times from a bin's start\n",
                        out.paint(Style::kBold, "Times of all variants"), times.size(), dropped));
  out.write(time_histogram(
      out, times,
      {{winner.measurement().timing().median_ns(), "winner"},
       {winner.has_baseline() ? winner.baseline().timing().median_ns() : 0, "default"}}));
}

void print_best(Session& session, const v1::Winner& winner, const Measurements& measurements) {
  std::vector<const v1::Measurement*> timed;
  for (const auto& measurement : measurements) {
    if (measurement.verdict() == v1::VERDICT_OK) timed.push_back(&measurement);
  }
  std::sort(timed.begin(), timed.end(), [](const auto* a, const auto* b) {
    return a->timing().median_ns() < b->timing().median_ns();
  });
  timed.resize(std::min(timed.size(), kBestShown));
  Table table({{"time", Align::kRight},
               {"gain", Align::kRight},
               {"of peak", Align::kRight},
               {"error", Align::kRight},
               {"config", Align::kLeft, Fit::kWrap}});
  for (const auto* measurement : timed) {
    table.add({{time_text(measurement->timing().median_ns())},
               {ratio_text(gain(*measurement, winner.baseline()))},
               {percent_text(measurement->timing().peak_fraction())},
               {error_text(measurement->verification())},
               {proto::text_of(measurement->config())}});
  }
  if (table.empty()) return;
  Terminal& out = session.out();
  out.write(fmt::format("\n{}\n", out.paint(Style::kBold, "Best in the search")));
  out.write(table.render(out));
}

std::string first_line(const std::string& diagnostics) {
  const std::vector<std::string> lines = absl::StrSplit(diagnostics, '\n', absl::SkipWhitespace());
  return lines.empty() ? "" : cut(safe_text(lines.front()), kReasonWidth);
}

void print_rejected(Session& session, const Measurements& measurements) {
  struct Group {
    int count = 0;
    std::map<std::string, int> reasons;
  };
  std::map<v1::Verdict, Group> groups;
  for (const auto& measurement : measurements) {
    if (was_timed(measurement)) continue;
    Group& group = groups[measurement.verdict()];
    ++group.count;
    ++group.reasons[first_line(measurement.diagnostics())];
  }
  Table table({{"rejected", Align::kRight}, {"because"}, {"mostly", Align::kLeft, Fit::kWrap}});
  for (const auto& [verdict, group] : groups) {
    const auto commonest =
        std::max_element(group.reasons.begin(), group.reasons.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    table.add(
        {{std::to_string(group.count)}, {verdict_text(verdict), Style::kBad}, {commonest->first}});
  }
  if (!table.empty()) session.out().write(fmt::format("\n{}", table.render(session.out())));
}

Status show(Session& session, int64_t id) {
  KILN_ASSIGN_OR_RETURN(auto response, session.api().winner(id, /*with_measurements=*/true));
  session.labels().add_to(*response.mutable_winner());
  for (auto& measurement : *response.mutable_measurements()) {
    session.labels().add_to(response.winner(), measurement);
  }
  if (session.json()) {
    session.print(to_json(response));
    return absl::OkStatus();
  }
  const v1::Winner& winner = response.winner();
  session.out().write(render_details(session.out(), winner_details(session, winner)));
  print_distribution(session, winner, response.measurements());
  print_best(session, winner, response.measurements());
  print_rejected(session, response.measurements());
  return absl::OkStatus();
}

}  // namespace

Action declare_show(OptionSet& set) {
  auto id = std::make_shared<int64_t>(0);
  set.id(*id, "Winner, as `tunectl list` lists it");
  return [id](Session& session) { return show(session, *id); };
}

}  // namespace kiln::tunectl
