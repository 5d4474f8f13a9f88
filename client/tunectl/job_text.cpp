#include "client/tunectl/job_text.h"

namespace kiln::tunectl {

std::string state_text(v1::Job::State state) {
  switch (state) {
    case v1::Job::STATE_QUEUED:
      return "queued";
    case v1::Job::STATE_RUNNING:
      return "running";
    case v1::Job::STATE_SUCCEEDED:
      return "succeeded";
    case v1::Job::STATE_FAILED:
      return "failed";
    case v1::Job::STATE_CANCELLED:
      return "cancelled";
    default:
      return "unknown";
  }
}

Style state_style(v1::Job::State state) {
  switch (state) {
    case v1::Job::STATE_RUNNING:
      return Style::kBold;
    case v1::Job::STATE_SUCCEEDED:
      return Style::kGood;
    case v1::Job::STATE_FAILED:
      return Style::kBad;
    case v1::Job::STATE_CANCELLED:
      return Style::kWarning;
    default:
      return Style::kPlain;
  }
}

std::string verdict_text(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_OK:
      return "ok";
    case v1::VERDICT_COMPILE_FAILED:
      return "does not compile";
    case v1::VERDICT_CRASHED:
      return "crashed";
    case v1::VERDICT_TIMED_OUT:
      return "timed out";
    case v1::VERDICT_OUT_OF_BOUNDS:
      return "out of bounds";
    case v1::VERDICT_NOT_FINITE:
      return "not finite";
    case v1::VERDICT_WRONG:
      return "wrong result";
    case v1::VERDICT_FAILED:
      return "does not load or launch";
    case v1::VERDICT_DROPPED_EARLY:
      return "dropped early";
    default:
      return "unknown";
  }
}

}  // namespace kiln::tunectl
