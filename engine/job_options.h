// How a job is to be tuned, and its stored form.

#pragma once

#include <string>
#include <string_view>

#include "core/status.h"
#include "tuner/tuner.h"

namespace kiln::engine {

struct JobOptions {
  tuner::TuneOptions tune;  // without `first` and `known`
  bool force = false;       // measurements of earlier jobs do not count
  bool automatic = false;   // queued by a lookup, not by a person
};

// INVALID_ARGUMENT naming the field: strategy, budget.
Status check(const tuner::TuneOptions& options);

std::string to_json(const JobOptions& options);
StatusOr<JobOptions> job_options_from_json(std::string_view text);

}  // namespace kiln::engine
