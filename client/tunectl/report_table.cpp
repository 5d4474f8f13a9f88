#include "client/tunectl/report_table.h"

#include <fmt/format.h>

#include <cmath>

#include "client/tunectl/table.h"
#include "client/tunectl/units.h"
#include "client/tunectl/winner_text.h"
#include "proto/problem.h"

namespace kiln::tunectl {

std::string report_table(Session& session, const std::vector<v1::Winner>& winners) {
  Table table({{"problem", Align::kLeft, Fit::kWrap},
               {"winner's config", Align::kLeft, Fit::kWrap},
               {"time", Align::kRight},
               {"rate", Align::kRight},
               {"of peak", Align::kRight},
               {"gain", Align::kRight},
               {"error", Align::kRight}});
  double log_gain = 0;
  int gains = 0;
  for (const v1::Winner& winner : winners) {
    const v1::Timing& timing = winner.measurement().timing();
    const double times = gain(winner.measurement(), winner.baseline());
    if (times > 0) {
      log_gain += std::log(times);
      ++gains;
    }
    table.add({{problem_text(session, winner)},
               {proto::text_of(winner.measurement().config())},
               {time_text(timing.median_ns())},
               {rate_text(winner.cost(), timing)},
               {percent_text(timing.peak_fraction())},
               {ratio_text(times), times >= 1 ? Style::kGood : Style::kPlain},
               {error_text(winner.measurement().verification())}});
  }
  Terminal& out = session.out();
  std::string text = table.render(out);
  text += fmt::format(
      "\n{}\n", out.paint(Style::kDim,
                          "of peak: of what the machine reached at that moment; gain: over the "
                          "family's default config;\nerror: the largest found, over its "
                          "tolerance"));
  if (gains > 0) {
    text += fmt::format("geometric mean gain {} over {}{}", ratio_text(std::exp(log_gain / gains)),
                        gains, gains == 1 ? " problem\n" : " problems\n");
  }
  return text;
}

}  // namespace kiln::tunectl
