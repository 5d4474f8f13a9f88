#include "tuner/search_report.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace kiln::tuner {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kInterval{100};

}  // namespace

void SearchReport::tell(When when) {
  if (!listener_) return;
  if (when == When::kSoon && Clock::now() - last_ < kInterval) return;
  last_ = Clock::now();
  progress_.elapsed = duration_cast<milliseconds>(spending_.elapsed());
  progress_.remaining.reset();
  if (progress_.phase == Progress::Phase::kDone) {
    progress_.remaining = milliseconds(0);
  } else if (const auto remaining = spending_.remaining()) {
    progress_.remaining = duration_cast<milliseconds>(*remaining);
  }
  listener_(progress_);
}

void SearchReport::enter(Progress::Phase phase) {
  progress_.phase = phase;
  tell(When::kNow);
}

void SearchReport::reject(const Measurement& measurement) {
  ++progress_.rejected[measurement.verdict];
  first_diagnostics_.emplace(measurement.verdict, measurement.diagnostics);
}

Status SearchReport::nothing_works(const SearchTask& task) const {
  std::pair<Verdict, int64_t> commonest{Verdict::kOk, 0};
  for (const auto& [verdict, count] : progress_.rejected) {
    if (count > commonest.second) commonest = {verdict, count};
  }
  std::string reason;
  if (const auto found = first_diagnostics_.find(commonest.first);
      found != first_diagnostics_.end()) {
    reason =
        absl::StrCat("; most often ", std::string(name_of(commonest.first)), ": ", found->second);
  }
  return absl::FailedPreconditionError(absl::StrCat("none of ", spending_.evaluations(),
                                                    " variants of ", task.problem.text(),
                                                    " works on ", task.device.name(), reason));
}

}  // namespace kiln::tuner
