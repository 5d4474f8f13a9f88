#include <fmt/format.h>

#include "client/tunectl/budget.h"
#include "client/tunectl/commands/commands.h"
#include "client/tunectl/failure.h"
#include "client/tunectl/output_file.h"
#include "client/tunectl/problem_words.h"
#include "client/tunectl/table.h"
#include "client/tunectl/text.h"
#include "client/tunectl/units.h"
#include "client/tunectl/winner_text.h"
#include "core/plan.h"
#include "proto/plan.h"
#include "proto/problem.h"

namespace kiln::tunectl {
namespace {

constexpr absl::Duration kLongestWait = absl::Hours(24);

struct Options {
  std::vector<std::string> words;
  std::string device;
  std::string wait = "none";
  std::string stand_in = "any";
  bool frozen = false;
  bool exact = false;
  int64_t pin = 0;
  std::string out;
};

StatusOr<v1::Policy> policy_of(const Options& options) {
  v1::Policy policy;
  if (options.wait == "none") {
    policy.set_wait(v1::Policy::WAIT_NONE);
  } else if (options.wait == "tuned") {
    policy.set_wait(v1::Policy::WAIT_UNTIL_TUNED);
  } else {
    policy.set_wait(v1::Policy::WAIT_DEADLINE);
    const auto deadline = parse_duration("--wait", options.wait);
    if (!deadline.ok()) {
      return invalid_field("--wait", options.wait, "none, tuned, or a time such as 5s");
    }
    *policy.mutable_deadline() = *deadline;
  }
  policy.set_stand_in(options.stand_in == "any"       ? v1::Policy::STAND_IN_ANY
                      : options.stand_in == "default" ? v1::Policy::STAND_IN_DEFAULT_ONLY
                                                      : v1::Policy::STAND_IN_NONE);
  policy.set_frozen(options.frozen);
  policy.set_exact(options.exact);
  policy.set_pinned_winner(options.pin);
  return policy;
}

absl::Duration timeout_of(const v1::Policy& policy) {
  if (policy.wait() == v1::Policy::WAIT_UNTIL_TUNED) return kLongestWait;
  return absl::Seconds(policy.deadline().seconds() + 1) + kCallTimeout;
}

// Fixed names: nothing that the service says becomes part of a path.
Status write_kernel(const v1::GetKernelResponse& response, const Json& answer,
                    const std::string& directory) {
  KILN_ASSIGN_OR_RETURN(const Artifact artifact, proto::from_message(response.artifact()));
  KILN_ASSIGN_OR_RETURN(const Plan plan, proto::from_message(response.plan()));
  KILN_RETURN_IF_ERROR(make_directory(directory));
  KILN_RETURN_IF_ERROR(write_file(directory + "/kernel.so", response.artifact().content()));
  KILN_RETURN_IF_ERROR(write_file(directory + "/plan.json", to_json(plan)));
  return write_file(directory + "/answer.json", json_text(answer));
}

std::string origin_text(const v1::Provenance& provenance) {
  std::string text;
  switch (provenance.kind()) {
    case v1::Provenance::KIND_TUNED:
      text = fmt::format("tuned, winner {}", provenance.winner_id());
      break;
    case v1::Provenance::KIND_TRANSFERRED:
      text = fmt::format("winner {} of {}", provenance.winner_id(), provenance.tuned_problem());
      break;
    default:
      text = "the family's default config";
  }
  if (provenance.stale()) text += ", stale";
  if (provenance.provisional()) text += ", provisional";
  return text;
}

std::string job_text(int64_t id) {
  return id == 0 ? "no job" : fmt::format("job {} (`tunectl watch {}`)", id, id);
}

void print_answer(Session& session, const v1::GetKernelResponse& response) {
  const v1::Provenance& provenance = response.provenance();
  const v1::Measurement& measurement = provenance.measurement();
  std::vector<std::pair<std::string, Cell>> details = {
      {"served",
       {origin_text(provenance), provenance.provisional() ? Style::kWarning : Style::kGood}},
      {"config", {proto::text_of(response.config()), Style::kBold}},
      {"device", {fmt::format("{}, {}", response.device(), response.fingerprint())}},
      {"time", {time_text(measurement.timing().median_ns())}},
      {"rate", {rate_text(response.cost(), measurement.timing())}},
      {"gain", {ratio_text(gain(measurement, provenance.baseline()))}},
      {"verified", {verification_text(measurement.verification())}},
      {"verified on", {measurement.verification().problem()}},
      {"artifact",
       {fmt::format("{}, {}", response.artifact().hash(),
                    bytes_text(static_cast<double>(response.artifact().size())))}},
      {"plan",
       {fmt::format("{} over {}", counted_text(response.plan().steps_size(), "step"),
                    counted_text(response.plan().buffers_size(), "buffer"))}},
      {"tuning", {job_text(provenance.job_id())}}};
  session.out().write(render_details(session.out(), details));
}

Status get(Session& session, const Options& options) {
  v1::GetKernelRequest request;
  KILN_ASSIGN_OR_RETURN(*request.mutable_problem(), parse_problem(options.words));
  request.set_device(options.device);
  KILN_ASSIGN_OR_RETURN(*request.mutable_policy(), policy_of(options));
  KILN_ASSIGN_OR_RETURN(auto response,
                        session.api().get_kernel(request, timeout_of(request.policy())));
  Json answer = to_json(response);
  if (answer["artifact"].is_object()) answer["artifact"].erase("content");
  if (session.json()) session.print(answer);
  if (!response.found()) {
    return failure(
        ExitCode::kNotFound, "no kernel is known that the policy allows",
        fmt::format("tuning: {}; `tunectl tune` tunes it, --stand-in any accepts another",
                    job_text(response.provenance().job_id())));
  }
  if (!options.out.empty()) KILN_RETURN_IF_ERROR(write_kernel(response, answer, options.out));
  if (!session.json()) print_answer(session, response);
  return absl::OkStatus();
}

}  // namespace

Action declare_get(OptionSet& set) {
  auto options = std::make_shared<Options>();
  set.words("problem", options->words, OptionSet::Need::kRequired, "FAMILY field=value …");
  set.text("--device NAME", options->device, "Device by name or fingerprint (default host)");
  set.text("--wait HOW", options->wait, "none, a time such as 5s, or tuned");
  set.choice("--stand-in", options->stand_in, {"any", "default", "none"},
             "What may be served instead of a winner");
  set.flag("--frozen", options->frozen, "Neither tune nor compile");
  set.flag("--exact", options->exact, "Only a winner measured on exactly this problem");
  set.positive("--pin ID", options->pin, "This winner and no other");
  set.text("--out DIR", options->out, "Write kernel.so, plan.json and answer.json there");
  return [options](Session& session) { return get(session, *options); };
}

}  // namespace kiln::tunectl
