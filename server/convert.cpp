#include "server/convert.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proto/measurement.h"
#include "proto/problem.h"

namespace kiln::server {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMaxWait = std::chrono::hours(1);
constexpr milliseconds kMaxBudget = std::chrono::hours(24 * 7);

StatusOr<tuner::Budget> from_message(const v1::Budget& message) {
  tuner::Budget budget;
  if (message.has_time()) {
    KILN_ASSIGN_OR_RETURN(budget.time,
                          server::from_message(message.time(), "budget.time", kMaxBudget));
    if (*budget.time == milliseconds(0)) {
      return invalid_field("budget.time", "0s", "more than 0");
    }
  }
  if (message.evaluations() != 0) {
    if (message.evaluations() < 0) {
      return invalid_field("budget.evaluations", absl::StrCat(message.evaluations()),
                           "1 or more, or 0 for no bound");
    }
    budget.evaluations = message.evaluations();
  }
  if (message.peak_fraction() != 0) {
    if (!(message.peak_fraction() > 0 && message.peak_fraction() <= 1)) {
      return invalid_field("budget.peak_fraction", absl::StrCat(message.peak_fraction()),
                           "between 0 and 1");
    }
    budget.peak_fraction = message.peak_fraction();
  }
  return budget;
}

v1::Progress to_message(const tuner::Progress& progress) {
  v1::Progress message;
  message.set_phase(v1::Progress::Phase(int(progress.phase) + 1));
  message.set_space_size(progress.space_size);
  message.set_compiled(progress.compiled);
  message.set_measured(progress.measured);
  for (const auto& [verdict, count] : progress.rejected) {
    v1::Progress::Rejected* rejected = message.add_rejected();
    rejected->set_verdict(proto::to_message(verdict));
    rejected->set_count(count);
  }
  message.set_default_ns(progress.default_ns);
  message.set_best_ns(progress.best_ns);
  message.set_best_config(progress.best_config);
  *message.mutable_elapsed() = server::to_message(progress.elapsed);
  if (progress.remaining) *message.mutable_remaining() = server::to_message(*progress.remaining);
  message.set_waiting_for_idle(progress.waiting_for_idle);
  return message;
}

}  // namespace

StatusOr<milliseconds> from_message(const google::protobuf::Duration& duration,
                                    std::string_view field, milliseconds max) {
  // Nanoseconds carry the sign of the seconds.
  constexpr int32_t kNanosecondsPerSecond = 1'000'000'000;
  const int64_t max_seconds = std::chrono::duration_cast<std::chrono::seconds>(max).count();
  if (duration.seconds() < 0 || duration.nanos() < 0 || duration.nanos() >= kNanosecondsPerSecond ||
      duration.seconds() > max_seconds) {
    return invalid_field(field, absl::StrCat(duration.seconds(), "s ", duration.nanos(), "ns"),
                         absl::StrCat("between 0 and ", max_seconds, " seconds"));
  }
  const auto nanoseconds = std::chrono::nanoseconds(duration.nanos());
  return std::chrono::seconds(duration.seconds()) +
         std::chrono::duration_cast<milliseconds>(nanoseconds + std::chrono::nanoseconds(999'999));
}

google::protobuf::Duration to_message(milliseconds duration) {
  google::protobuf::Duration message;
  message.set_seconds(duration.count() / 1000);
  message.set_nanos(int32_t(duration.count() % 1000) * 1'000'000);
  return message;
}

StatusOr<engine::Policy> from_message(const v1::Policy& message) {
  using Wait = engine::Policy::Wait;
  using StandIn = engine::Policy::StandIn;
  engine::Policy policy;
  switch (message.wait()) {
    case v1::Policy::WAIT_DEADLINE:
      policy.wait = Wait::kDeadline;
      break;
    case v1::Policy::WAIT_UNTIL_TUNED:
      policy.wait = Wait::kUntilTuned;
      break;
    default:
      policy.wait = Wait::kNone;
      break;
  }
  KILN_ASSIGN_OR_RETURN(policy.deadline,
                        from_message(message.deadline(), "policy.deadline", kMaxWait));
  if (policy.wait == Wait::kDeadline && policy.deadline == milliseconds(0)) {
    return invalid_field("policy.deadline", "0s", "more than 0 with WAIT_DEADLINE");
  }
  switch (message.stand_in()) {
    case v1::Policy::STAND_IN_DEFAULT_ONLY:
      policy.stand_in = StandIn::kDefaultOnly;
      break;
    case v1::Policy::STAND_IN_NONE:
      policy.stand_in = StandIn::kNone;
      break;
    default:
      policy.stand_in = StandIn::kAny;
      break;
  }
  policy.frozen = message.frozen();
  policy.exact = message.exact();
  policy.pinned_winner = message.pinned_winner();
  if (policy.pinned_winner < 0) {
    return invalid_field("policy.pinned_winner", absl::StrCat(policy.pinned_winner),
                         "a winner's id, or 0 for none");
  }
  if (policy.frozen && policy.wait != Wait::kNone) {
    return invalid_field("policy.wait", v1::Policy::Wait_Name(message.wait()),
                         "WAIT_NONE with `frozen`: nothing would be tuned");
  }
  return policy;
}

StatusOr<engine::TuneRequest> from_message(const v1::CreateJobRequest& message) {
  engine::TuneRequest request;
  request.request_id = message.request_id();
  request.device = message.device().empty() ? "host" : message.device();
  KILN_ASSIGN_OR_RETURN(request.options.budget, from_message(message.budget()));
  if (!message.strategy().empty()) request.options.strategy = message.strategy();
  request.options.seed = message.seed() == 0 ? 1 : message.seed();
  KILN_ASSIGN_OR_RETURN(request.options.cache, proto::from_message(message.cache()));
  request.options.priority =
      message.background() ? tuner::Priority::kBackground : tuner::Priority::kForeground;
  request.force = message.force();
  return request;
}

StatusOr<std::vector<db::JobState>> from_message(
    const google::protobuf::RepeatedField<int>& states) {
  std::vector<db::JobState> converted;
  for (int state : states) {
    if (state < v1::Job::STATE_QUEUED || state > v1::Job::STATE_CANCELLED) {
      return invalid_field("states", absl::StrCat(state), "a state of a job");
    }
    converted.push_back(db::JobState(state - 1));
  }
  return converted;
}

v1::Cost to_message(const Cost& cost) {
  v1::Cost message;
  message.set_flops(cost.flops);
  message.set_bytes(cost.bytes);
  message.set_bandwidth_bound(cost.bandwidth_bound);
  return message;
}

v1::Device to_message(const engine::DeviceView& device) {
  v1::Device message;
  message.set_name(device.name);
  message.set_fingerprint(device.fingerprint.text());
  message.set_model(device.fingerprint.model);
  message.set_architecture(device.fingerprint.architecture);
  message.set_instruction_set(device.fingerprint.instruction_set);
  message.set_units(device.fingerprint.units);
  message.set_toolchain(device.toolchain);
  message.set_can_compile(device.can_compile);
  message.set_unavailable(device.unavailable);
  message.set_memory_bytes(device.target.memory_bytes);
  message.set_llc_bytes(device.target.llc_bytes);
  if (device.peaks) {
    message.set_peak_f32_flops(device.peaks->f32_flops);
    message.set_peak_bf16_flops(device.peaks->bf16_flops);
    message.set_peak_read_bytes(device.peaks->read_bytes);
    message.set_peak_copy_bytes(device.peaks->copy_bytes);
  }
  return message;
}

v1::Job to_message(const engine::JobView& job) {
  const db::JobRow& row = job.row;
  v1::Job message;
  message.set_id(row.id);
  message.set_request_id(row.request_id);
  message.set_family(row.problem.family);
  message.set_problem(row.problem.text);
  message.set_device(row.device);
  message.set_fingerprint(row.fingerprint);
  message.set_background(row.background);
  message.set_state(v1::Job::State(int(row.state) + 1));
  message.set_error(row.error);
  message.set_winner_id(row.winner_id);
  message.set_evaluations(row.evaluations);
  if (row.created_unix_ns != 0) {
    *message.mutable_created_at() = proto::to_timestamp(row.created_unix_ns);
  }
  if (row.started_unix_ns != 0) {
    *message.mutable_started_at() = proto::to_timestamp(row.started_unix_ns);
  }
  if (row.finished_unix_ns != 0) {
    *message.mutable_finished_at() = proto::to_timestamp(row.finished_unix_ns);
  }
  *message.mutable_progress() = to_message(job.progress);
  return message;
}

v1::Winner to_message(const db::WinnerRow& winner) {
  v1::Winner message;
  message.set_id(winner.id);
  message.set_family(winner.problem.family);
  message.set_problem(winner.problem.text);
  message.set_problem_key(absl::BytesToHexString(winner.problem.problem_key));
  message.set_fingerprint(winner.fingerprint);
  *message.mutable_measurement() = proto::to_message(winner.measurement);
  if (winner.baseline) *message.mutable_baseline() = proto::to_message(*winner.baseline);
  message.set_evaluations(winner.evaluations);
  if (winner.created_unix_ns != 0) {
    *message.mutable_created_at() = proto::to_timestamp(winner.created_unix_ns);
  }
  return message;
}

}  // namespace kiln::server
