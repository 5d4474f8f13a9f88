#include "db/store.h"

namespace kiln::db {

std::string_view name_of(JobState state) {
  switch (state) {
    case JobState::kQueued:
      return "queued";
    case JobState::kRunning:
      return "running";
    case JobState::kSucceeded:
      return "succeeded";
    case JobState::kFailed:
      return "failed";
    case JobState::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

std::optional<JobState> parse_job_state(std::string_view name) {
  for (JobState state : kJobStates) {
    if (name == name_of(state)) return state;
  }
  return std::nullopt;
}

}  // namespace kiln::db
