#include "client/tunectl/pretuning.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "client/tunectl/failure.h"
#include "client/tunectl/job_watch.h"
#include "client/tunectl/problem_words.h"
#include "client/tunectl/table.h"
#include "client/tunectl/units.h"
#include "client/tunectl/winner_text.h"
#include "proto/problem.h"

namespace kiln::tunectl {
namespace {

// The service does not admit the problem, as against: it could not be asked.
bool is_refusal(const Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsOutOfRange(status) ||
         absl::IsResourceExhausted(status);
}

std::string name_of(const WorkloadProblem& problem) {
  return problem.label.empty() ? fmt::format("line {}", problem.line) : problem.label;
}

}  // namespace

Pretuning::Pretuning(Session& session, const TuneOptions& options,
                     std::vector<WorkloadProblem> problems)
    : session_(session), options_(options) {
  for (WorkloadProblem& problem : problems) {
    rows_.emplace_back();
    rows_.back().problem = std::move(problem);
  }
}

std::string_view Pretuning::name_of(State state) {
  switch (state) {
    case State::kOpen:
      return "open";
    case State::kInvalid:
      return "invalid";
    case State::kTuned:
      return "tuned";
    case State::kAlreadyTuned:
      return "already tuned";
    case State::kFailed:
      return "failed";
  }
  return "";
}

StatusOr<bool> Pretuning::find_winner(Row& row) {
  v1::GetKernelRequest request;
  *request.mutable_problem() = to_message(row.problem.family, row.problem.fields);
  request.set_device(options_.device);
  // Checks the problem and looks up; neither tunes nor compiles.
  request.mutable_policy()->set_frozen(true);
  request.mutable_policy()->set_stand_in(v1::Policy::STAND_IN_NONE);
  KILN_ASSIGN_OR_RETURN(auto response, session_.api().get_kernel(request));
  if (options_.force) {
    // Two rows may share a key: lengths of one bucket are one problem.
    return response.problem_key().empty() ? false : keys_.count(response.problem_key()) > 0;
  }
  const v1::Provenance& provenance = response.provenance();
  if (!response.found() || provenance.kind() != v1::Provenance::KIND_TUNED || provenance.stale()) {
    return false;
  }
  row.winner_id = provenance.winner_id();
  row.cost = response.cost();
  row.measurement = provenance.measurement();
  row.baseline = provenance.baseline();
  return true;
}

Status Pretuning::check(bool skip_invalid) {
  for (Row& row : rows_) {
    const StatusOr<bool> known = find_winner(row);
    if (known.ok()) {
      if (*known) row.state = State::kAlreadyTuned;
      continue;
    }
    if (!is_refusal(known.status())) return known.status();
    row.state = State::kInvalid;
    row.error = std::string(known.status().message());
  }
  const int invalid = count(State::kInvalid);
  if (invalid == 0) return absl::OkStatus();
  list_invalid();
  if (skip_invalid) return absl::OkStatus();
  return usage_error(
      fmt::format("{} of {} {} not admitted; nothing was started", invalid,
                  counted_text(int64_t(rows_.size()), "row"), invalid == 1 ? "is" : "are"),
      "choose rows with --where, change them with --set, or leave these out with "
      "--skip-invalid");
}

void Pretuning::list_invalid() {
  if (session_.options().quiet) return;
  Table table({{"line", Align::kRight},
               {"row", Align::kLeft, Fit::kCut},
               {"not admitted because", Align::kLeft, Fit::kWrap}});
  for (const Row& row : rows_) {
    if (row.state != State::kInvalid) continue;
    table.add({{std::to_string(row.problem.line)}, {row.problem.label}, {row.error, Style::kBad}});
  }
  session_.err().write(table.render(session_.err()));
}

Status Pretuning::tune(Row& row, const std::string& position) {
  // An earlier row may have had the same key.
  KILN_ASSIGN_OR_RETURN(const bool known, find_winner(row));
  if (known) {
    row.state = State::kAlreadyTuned;
    return absl::OkStatus();
  }
  const v1::Problem problem = to_message(row.problem.family, row.problem.fields);
  session_.note(fmt::format("{} {}: {}", position, tunectl::name_of(row.problem),
                            session_.schemas().short_text(problem.family(), text_of(problem))));
  KILN_ASSIGN_OR_RETURN(const v1::CreateJobRequest request, job_request(problem, options_));
  KILN_ASSIGN_OR_RETURN(v1::Job job, session_.api().create_job(request));
  row.job_id = job.id();
  if (!is_over(job)) {
    KILN_ASSIGN_OR_RETURN(job, watch_job(session_, job.id()));
  }
  if (const Status end = end_of(job); !end.ok()) {
    row.state = State::kFailed;
    row.error = std::string(end.message());
    return end;
  }
  KILN_ASSIGN_OR_RETURN(const v1::Winner winner, fetch_winner(session_, job.winner_id()));
  row.state = State::kTuned;
  row.winner_id = winner.id();
  row.cost = winner.cost();
  row.measurement = winner.measurement();
  row.baseline = winner.baseline();
  keys_.insert(winner.problem_key());
  session_.note(fmt::format(
      "  {}, {}, {} the default, {}", time_text(row.measurement.timing().median_ns()),
      rate_text(row.cost, row.measurement.timing()),
      ratio_text(gain(row.measurement, row.baseline)), proto::text_of(row.measurement.config())));
  return absl::OkStatus();
}

Status Pretuning::run() {
  const auto total = static_cast<int>(std::count_if(
      rows_.begin(), rows_.end(), [](const Row& row) { return row.state == State::kOpen; }));
  if (const int known = count(State::kAlreadyTuned); known > 0) {
    session_.note(
        fmt::format("{} of {} are tuned already; --force tunes them again", known, rows_.size()));
  }
  const int digits = static_cast<int>(std::to_string(total).size());
  Status first_failure;
  int number = 0;
  for (Row& row : rows_) {
    if (row.state != State::kOpen) continue;
    Status status = tune(row, fmt::format("[{:{}}/{}]", ++number, digits, total));
    if (status.ok()) continue;
    if (row.state == State::kFailed) {
      session_.note(fmt::format("  {}", row.error));
      first_failure.Update(status);
      continue;
    }
    session_.note(summary());
    if (exit_code(status) != ExitCode::kInterrupted) return status;
    return failure(
        ExitCode::kInterrupted, std::string(status.message()),
        fmt::format("{}; the same pretune command goes on where it stopped", remedy(status)));
  }
  if (!session_.json()) session_.note(summary());
  return first_failure;
}

int Pretuning::count(State state) const {
  return static_cast<int>(std::count_if(rows_.begin(), rows_.end(),
                                        [&](const Row& row) { return row.state == state; }));
}

std::string Pretuning::summary() const {
  std::vector<std::string> parts;
  for (const State state :
       {State::kTuned, State::kAlreadyTuned, State::kFailed, State::kInvalid, State::kOpen}) {
    if (count(state) > 0) parts.push_back(fmt::format("{} {}", count(state), name_of(state)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

Json Pretuning::row_json(const Row& row) const {
  Json fields = Json::object();
  for (const auto& [name, value] : row.problem.fields)
    fields[name] = value;
  Json json = {{"line", row.problem.line},     {"label", row.problem.label},
               {"family", row.problem.family}, {"fields", fields},
               {"state", name_of(row.state)},  {"error", row.error},
               {"job_id", row.job_id},         {"winner_id", row.winner_id}};
  json["median_ns"] = row.winner_id == 0 ? Json() : Json(row.measurement.timing().median_ns());
  json["gain"] = row.winner_id == 0 ? Json() : Json(gain(row.measurement, row.baseline));
  return json;
}

void Pretuning::print() {
  if (session_.json()) {
    Json document = {{"rows", Json::array()}};
    for (const Row& row : rows_)
      document["rows"].push_back(row_json(row));
    session_.print(document);
    return;
  }
  Table table({{"line", Align::kRight},
               {"row", Align::kLeft, Fit::kCut},
               {"state"},
               {"winner", Align::kRight},
               {"time", Align::kRight},
               {"rate", Align::kRight},
               {"gain", Align::kRight}});
  for (const Row& row : rows_) {
    if (row.state == State::kInvalid || row.state == State::kOpen) continue;
    const bool failed = row.state == State::kFailed;
    table.add({{std::to_string(row.problem.line)},
               {row.problem.label},
               {std::string(name_of(row.state)), failed ? Style::kBad : Style::kPlain},
               {row.winner_id == 0 ? "" : std::to_string(row.winner_id)},
               {failed ? "" : time_text(row.measurement.timing().median_ns())},
               {failed ? "" : rate_text(row.cost, row.measurement.timing())},
               {failed ? "" : ratio_text(gain(row.measurement, row.baseline))}});
  }
  session_.out().write(table.render(session_.out()));
}

}  // namespace kiln::tunectl
