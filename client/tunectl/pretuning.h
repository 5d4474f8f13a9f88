// Tunes a list of problems one after the other, skipping what is tuned already.
//
//     Pretuning pretuning(session, options, std::move(problems));
//     KILN_RETURN_IF_ERROR(pretuning.check(skip_invalid));  // asks about every row, starts nothing
//     Status status = pretuning.run();
//     pretuning.print();

#pragma once

#include <set>
#include <string>
#include <vector>

#include "client/tunectl/session.h"
#include "client/tunectl/tune_options.h"
#include "client/tunectl/workload_problems.h"
#include "core/status.h"

namespace kiln::tunectl {

class Pretuning {
 public:
  Pretuning(Session& session, const TuneOptions& options, std::vector<WorkloadProblem> problems);

  // Has the service check every problem. Those that it does not admit are listed; without
  // `skip_invalid` they are a usage error.
  Status check(bool skip_invalid);

  // Tunes what is left. A problem whose job fails does not end it; the first such failure is
  // returned. Ctrl-C and a lost daemon end it.
  Status run();

  void print();

 private:
  enum class State { kOpen, kInvalid, kTuned, kAlreadyTuned, kFailed };

  struct Row {
    WorkloadProblem problem;
    State state = State::kOpen;
    std::string error;  // of an invalid or failed one
    int64_t job_id = 0;
    int64_t winner_id = 0;
    v1::Cost cost;
    v1::Measurement measurement;
    v1::Measurement baseline;
  };

  // Whether a fresh winner serves the row's problem; fills it in. INVALID_ARGUMENT and the like
  // when the service does not admit the problem.
  StatusOr<bool> find_winner(Row& row);
  Status tune(Row& row, const std::string& position);
  void list_invalid();
  int count(State state) const;
  std::string summary() const;
  Json row_json(const Row& row) const;
  static std::string_view name_of(State state);

  Session& session_;
  TuneOptions options_;
  std::vector<Row> rows_;
  std::set<std::string> keys_;  // of the problems tuned in this run
};

}  // namespace kiln::tunectl
