// get_kernel: from what is known at once to what has to be waited for.

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "core/key.h"
#include "engine/footprint.h"
#include "engine/local_engine.h"

namespace kiln::engine {

std::string cache_key(const ServedDevice& device, const Problem& problem) {
  std::string key = problem_key(problem);
  key += '\0';
  key += device.name();
  return key;
}

struct LocalEngine::Call {
  const ServedDevice& device;
  const Problem& problem;
  const Policy& policy;
  const std::stop_token& stop;
  std::string key;
  std::chrono::steady_clock::time_point deadline;

  Compile compile() const { return policy.frozen ? Compile::kForbidden : Compile::kAllowed; }
  // Whether the answer may go to this caller for good.
  bool admits(const Answer& answer) const {
    return answer != nullptr && covers(*answer->plan, problem) &&
           (!policy.exact || answer->provenance.tuned_problem == reference_to(problem).text);
  }
  bool waits() const { return policy.wait != Policy::Wait::kNone && !policy.frozen; }
};

StatusOr<KernelAnswer> LocalEngine::get_kernel(const Problem& problem, const std::string& device,
                                               const Policy& policy, std::stop_token stop) {
  KILN_ASSIGN_OR_RETURN(const ServedDevice* served, resolve(device));
  auto deadline = std::chrono::steady_clock::time_point::max();
  if (policy.wait == Policy::Wait::kDeadline) {
    // Longer than this is for ever, and would overflow the clock.
    const auto longest = std::chrono::milliseconds(std::chrono::hours(24 * 365));
    if (policy.deadline.count() < 0) {
      return invalid_field("policy.deadline", fmt::format("{} ms", policy.deadline.count()),
                           "a duration that is not negative");
    }
    deadline = std::chrono::steady_clock::now() + std::min(policy.deadline, longest);
  }
  const Call call{*served, problem, policy, stop, cache_key(*served, problem), deadline};
  if (policy.pinned_winner != 0) {
    KILN_ASSIGN_OR_RETURN(const Answer answer,
                          lookup_->pinned(*served, problem, policy.pinned_winner, call.compile()));
    return reply(call, answer);
  }
  if (const auto known = cache_.find(call.key);
      known != nullptr && call.admits(known->tuned) && !known->tuned->provenance.stale) {
    return reply(call, known->tuned);
  }
  KILN_ASSIGN_OR_RETURN(const Answer answer, best_known(call));
  return reply(call, answer);
}

StatusOr<Answer> LocalEngine::known_or_look_up(const Call& call, Answer Known::* kind) {
  if (const auto known = cache_.find(call.key); known != nullptr && known.get()->*kind != nullptr &&
                                                covers(*(known.get()->*kind)->plan, call.problem)) {
    return known.get()->*kind;
  }
  const char* const name = kind == &Known::tuned         ? "tuned"
                           : kind == &Known::transferred ? "transferred"
                                                         : "fallback";
  const std::string flight =
      fmt::format("{}\n{}\n{}", name, call.policy.frozen ? "frozen" : "", call.key);
  return flights_.run(flight, [&]() -> StatusOr<Answer> {
    const int64_t before = winners_changed_;
    StatusOr<Answer> found = kind == &Known::tuned
                                 ? lookup_->tuned(call.device, call.problem, call.compile())
                             : kind == &Known::transferred
                                 ? lookup_->transferred(call.device, call.problem, call.compile())
                                 : lookup_->fallback(call.device, call.problem, call.compile());
    if (found.ok() && *found != nullptr) {
      cache_.update(call.key, [&](Known& known) {
        if (winners_changed_ == before) known.*kind = *found;
      });
    }
    return found;
  });
}

StatusOr<Answer> LocalEngine::best_known(const Call& call) {
  KILN_RETURN_IF_ERROR(check(call.device, call.problem));
  StatusOr<Answer> tuned = known_or_look_up(call, &Known::tuned);
  if (!tuned.ok()) {
    spdlog::warn("winner of {} {}: {}", call.problem.family(), call.problem.text(),
                 tuned.status().ToString());
  }
  const bool found = tuned.ok() && call.admits(*tuned);
  if (found && !(*tuned)->provenance.stale) return tuned;
  if (call.waits()) return wait_for_tuning(call);
  // A stale winner was tuned for this very problem: nothing known is better. The job comes after
  // the answer, since both want the compiler.
  StatusOr<Answer> answer = found ? tuned : stand_in(call);
  tune_in_background(call);
  return answer;
}

StatusOr<Answer> LocalEngine::stand_in(const Call& call) {
  const Policy& policy = call.policy;
  if (policy.exact || policy.stand_in == Policy::StandIn::kNone) return Answer();
  if (policy.stand_in == Policy::StandIn::kAny) {
    KILN_ASSIGN_OR_RETURN(Answer similar, known_or_look_up(call, &Known::transferred));
    if (similar != nullptr) return similar;
  }
  return known_or_look_up(call, &Known::fallback);
}

int64_t LocalEngine::tune_in_background(const Call& call) {
  if (call.policy.frozen || options_.background == Background::kNever) return 0;
  if (const auto known = cache_.find(call.key); known != nullptr && known->job_tried) {
    return known->job_id;
  }
  JobOptions options{.tune = {}, .force = false, .automatic = true};
  options.tune.priority = tuner::Priority::kBackground;
  options.tune.budget.time = options_.background_budget;
  const auto job = jobs_->start(call.device, call.problem, "", options);
  if (!job.ok()) {
    // Without a store or a compiler there is no tuning; the lookup goes on.
    spdlog::warn("no background tuning of {}: {}", call.problem.family(), job.status().ToString());
    return 0;
  }
  const int64_t id = job->row.id;
  cache_.update(call.key, [&](Known& known) {
    known.job_tried = true;
    known.job_id = id;
  });
  // It may have ended before it was noted.
  if (jobs_->wait(id, std::chrono::steady_clock::now(), {})) {
    cache_.update(call.key, [](Known& known) { known.job_id = 0; });
  }
  return id;
}

StatusOr<Answer> LocalEngine::wait_for_tuning(const Call& call) {
  StatusOr<Answer> meanwhile = Answer();
  if (call.policy.wait == Policy::Wait::kDeadline) {
    // First, so that the deadline finds it ready.
    meanwhile = stand_in(call);
    if (!meanwhile.ok()) {
      spdlog::info("no stand-in for {}: {}", call.problem.family(), meanwhile.status().ToString());
    }
  }
  JobOptions options{.tune = {}, .force = call.policy.exact, .automatic = true};
  options.tune.priority = tuner::Priority::kForeground;
  options.tune.budget.time = options_.background_budget;
  // Twice: the first may be of another problem with the same key, where an exact one is wanted.
  Status ended = absl::OkStatus();
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto job = jobs_->start(call.device, call.problem, "", options);
    if (!job.ok()) {
      ended = job.status();
      break;
    }
    const bool finished = jobs_->wait(job->row.id, call.deadline, call.stop);
    if (call.stop.stop_requested()) return absl::CancelledError("the caller went away");
    if (!finished) break;
    auto tuned = known_or_look_up(call, &Known::tuned);
    if (tuned.ok() && call.admits(*tuned)) return tuned;
    if (const auto view = jobs_->view(job->row.id);
        view.ok() && view->row.state == db::JobState::kFailed) {
      ended = absl::FailedPreconditionError("tuning failed: " + view->row.error);
      break;
    }
    if (!call.policy.exact) break;
  }
  // Late, failed or cancelled: what is known is better than nothing.
  auto tuned = known_or_look_up(call, &Known::tuned);
  if (tuned.ok() && call.admits(*tuned)) return tuned;
  if (!meanwhile.ok() || *meanwhile == nullptr) meanwhile = stand_in(call);
  if (meanwhile.ok() && *meanwhile != nullptr) return meanwhile;
  KILN_RETURN_IF_ERROR(ended);
  return meanwhile;
}

KernelAnswer LocalEngine::reply(const Call& call, const Answer& answer) const {
  KernelAnswer reply;
  if (answer != nullptr) {
    reply = *answer;
    reply.cost = catalogue_.family_of(call.problem).cost(call.problem);
  }
  reply.device = call.device.name();
  reply.fingerprint = call.device.fingerprint_text();
  if (answer == nullptr || reply.provenance.provisional) {
    if (const auto known = cache_.find(call.key)) reply.provenance.job_id = known->job_id;
  }
  return reply;
}

}  // namespace kiln::engine
