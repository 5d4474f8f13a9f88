#include "client/tunectl/winner_text.h"

#include <fmt/format.h>

#include "client/tunectl/units.h"
#include "proto/problem.h"

namespace kiln::tunectl {
namespace {

constexpr double kLittleGain = 1.02;  // below, a gain is not worth a colour

std::string time_details(const v1::Timing& timing) {
  return fmt::format("{} (95 % interval {} to {}, {}{})", time_text(timing.median_ns()),
                     time_text(timing.median_low_ns()), time_text(timing.median_high_ns()),
                     counted_text(timing.samples(), "sample"), timing.noisy() ? ", noisy" : "");
}

std::string default_details(const v1::Winner& winner) {
  if (!winner.has_baseline() || winner.baseline().verdict() != v1::VERDICT_OK) {
    return "does not work here";
  }
  return fmt::format("{} with {}", time_text(winner.baseline().timing().median_ns()),
                     proto::text_of(winner.baseline().config()));
}

}  // namespace

std::string rate_text(const v1::Cost& cost, const v1::Timing& timing) {
  const double seconds = timing.median_ns() * 1e-9;
  if (!(seconds > 0)) return rate_text(0, 'f');
  return cost.bandwidth_bound() ? rate_text(cost.bytes() / seconds, 'b')
                                : rate_text(cost.flops() / seconds, 'f');
}

double gain(const v1::Measurement& winner, const v1::Measurement& baseline) {
  if (!(winner.timing().median_ns() > 0)) return 0;
  return baseline.timing().median_ns() / winner.timing().median_ns();
}

std::string error_text(const v1::Verification& verification) {
  if (verification.units() == 0) return "–";
  return fmt::format("{:.2g}", verification.worst_error());
}

std::string verification_text(const v1::Verification& verification) {
  if (verification.units() == 0) return "not verified";
  return fmt::format("largest error {:.2g}, {:.2g} of the tolerance; {} of {} units, {}",
                     verification.worst_absolute(), verification.worst_error(),
                     count_text(verification.units()), count_text(verification.units_total()),
                     counted_text(verification.seeds(), "seed"));
}

std::string problem_text(Session& session, const v1::Winner& winner) {
  return fmt::format("{} {}", winner.family(),
                     session.schemas().short_text(winner.family(), winner.problem()));
}

std::vector<std::pair<std::string, Cell>> winner_details(Session& session,
                                                         const v1::Winner& winner) {
  const v1::Measurement& measurement = winner.measurement();
  const double times = gain(measurement, winner.baseline());
  const int64_t created = winner.created_at().seconds();
  std::vector<std::pair<std::string, Cell>> details = {
      {"winner", {std::to_string(winner.id())}},
      {"problem", {problem_text(session, winner)}},
      {"device", {winner.fingerprint()}},
      {"config", {proto::text_of(measurement.config()), Style::kBold}},
      {"time", {time_details(measurement.timing())}},
      {"rate",
       {fmt::format("{}, {} of the peak at that moment",
                    rate_text(winner.cost(), measurement.timing()),
                    percent_text(measurement.timing().peak_fraction()))}},
      {"default", {default_details(winner)}},
      {"gain", {ratio_text(times), times > kLittleGain ? Style::kGood : Style::kPlain}},
      {"verified", {verification_text(measurement.verification())}},
      {"cache", {measurement.cache() == v1::CACHE_POLICY_WARM ? "warm" : "cold"}},
      {"tuned",
       {fmt::format("{} ({}), {} tried", moment_text(created),
                    ago_text(created, absl::ToUnixSeconds(session.now())),
                    counted_text(winner.evaluations(), "variant"))}},
      {"compiler", {measurement.toolchain()}},
      {"code",
       {fmt::format("{}, artifact {}", measurement.code_identity(), measurement.artifact_hash())}}};
  if (!measurement.diagnostics().empty()) {
    details.push_back({"measured", {measurement.diagnostics()}});
  }
  if (winner.stale()) {
    details.push_back(
        {"stale", {"tuned with other code or another compiler; tune it again", Style::kWarning}});
  }
  return details;
}

StatusOr<std::vector<v1::Winner>> fetch_winners(Session& session, const v1::WinnerFilter& filter) {
  KILN_ASSIGN_OR_RETURN(std::vector<v1::Winner> winners, session.api().winners(filter));
  for (v1::Winner& winner : winners)
    session.labels().add_to(winner);
  return winners;
}

StatusOr<v1::Winner> fetch_winner(Session& session, int64_t id) {
  KILN_ASSIGN_OR_RETURN(auto response, session.api().winner(id, /*with_measurements=*/false));
  session.labels().add_to(*response.mutable_winner());
  return std::move(*response.mutable_winner());
}

StatusOr<std::string> fingerprint_of(Session& session, const std::string& device) {
  if (device.empty()) return device;
  KILN_ASSIGN_OR_RETURN(const auto response, session.api().list_devices());
  for (const auto& known : response.devices()) {
    if (known.name() == device) return known.fingerprint();
  }
  return device;
}

}  // namespace kiln::tunectl
