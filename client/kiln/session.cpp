#include "client/kiln/session.h"

#include <algorithm>
#include <atomic>

#include "absl/strings/str_cat.h"
#include "client/kiln/answer.h"
#include "client/kiln/fork.h"
#include "core/key.h"
#include "proto/endpoint.h"
#include "proto/problem.h"

namespace kiln {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestPause{60'000};
// fork() may have to wait as long.
constexpr milliseconds kRefreshTime{1'000};
constexpr size_t kKnownArtifacts = 8;  // of a group: its default and its last winners

// Groups are numbered through all sessions, so that a child's differ from its parent's.
std::atomic<uint64_t> next_group = 1;

milliseconds wait_of(const Policy& policy, const ClientOptions& options) {
  switch (policy.wait) {
    case Policy::Wait::kDeadline:
      return policy.deadline + options.call_deadline;
    case Policy::Wait::kUntilTuned:
      return options.tuning_deadline;
    case Policy::Wait::kNone:
      break;
  }
  return options.call_deadline;
}

std::string policy_key(const Policy& policy) {
  // `wait` is not in it: it changes when an answer comes, not which.
  return absl::StrCat(int(policy.stand_in), policy.frozen ? "f" : "-", policy.exact ? "e" : "-",
                      policy.pinned_winner, "/", policy.device, "/");
}

}  // namespace

Session::Session(const ClientOptions& options, KernelTable& table)
    : options_(options),
      table_(table),
      connection_(options.socket.empty() ? proto::default_socket() : options.socket) {}

Session::~Session() = default;

StatusOr<const Schema*> Session::schema(const std::string& family) {
  {
    std::lock_guard lock(mutex_);
    if (const auto found = schemas_.find(family); found != schemas_.end()) {
      return found->second.get();
    }
  }
  v1::DescribeFamilyRequest request;
  request.set_family(family);
  v1::DescribeFamilyResponse response;
  KILN_RETURN_IF_ERROR(connection_.call(&v1::Kiln::Stub::PrepareAsyncDescribeFamily, request,
                                        response,
                                        Connection::Clock::now() + options_.call_deadline));
  KILN_ASSIGN_OR_RETURN(Schema schema, proto::from_message(response.schema()));
  const size_t sized =
      std::count_if(schema.fields().begin(), schema.fields().end(),
                    [](const Field& field) { return field.field_class == FieldClass::kSized; });
  if (sized > KernelKey::kMaxSizes) {
    return absl::UnimplementedError(absl::StrCat(family, " has ", sized, " sized fields; this ",
                                                 "client knows at most ", KernelKey::kMaxSizes));
  }
  std::lock_guard lock(mutex_);
  return schemas_.try_emplace(family, std::make_unique<const Schema>(std::move(schema)))
      .first->second.get();
}

uint64_t Session::group(const Problem& problem, const Policy& policy) {
  const std::string key = policy_key(policy) + statics_key(problem);
  std::lock_guard lock(mutex_);
  const auto [found, added] = groups_.try_emplace(key, 0);
  if (added) found->second = next_group.fetch_add(1);
  return found->second;
}

std::shared_ptr<const runtime::Kernel> Session::loaded(const std::string& artifact_hash) {
  std::lock_guard lock(mutex_);
  const auto found = loaded_.find(artifact_hash);
  return found == loaded_.end() ? nullptr : found->second.lock();
}

StatusOr<std::shared_ptr<const ServedKernel>> Session::ask(const ProblemHandle& problem,
                                                           const Policy& policy,
                                                           milliseconds time) {
  v1::GetKernelRequest request;
  *request.mutable_problem() = proto::to_message(problem.problem());
  request.set_device(policy.device);
  *request.mutable_policy() = to_message(policy);
  {
    std::lock_guard lock(mutex_);
    for (const std::string& hash : hashes_[problem.key().group])
      request.add_known_artifacts(hash);
  }
  const auto deadline = Connection::Clock::now() + time;
  for (;;) {
    v1::GetKernelResponse answer;
    KILN_RETURN_IF_ERROR(
        connection_.call(&v1::Kiln::Stub::PrepareAsyncGetKernel, request, answer, deadline));
    if (!answer.found()) {
      return absl::NotFoundError(absl::StrCat("nothing is known for ", problem.problem().text(),
                                              " that the policy ", "allows; job ",
                                              answer.provenance().job_id(), " tunes it"));
    }
    const std::shared_ptr<const runtime::Kernel> code = loaded(answer.artifact().hash());
    StatusOr<std::shared_ptr<const ServedKernel>> kernel = served_kernel(answer, code);
    if (kernel.ok() || request.known_artifacts().empty() || !answer.artifact().content().empty()) {
      return kernel;
    }
    // Known once, unloaded or planned otherwise since: ask for the bytes.
    request.clear_known_artifacts();
  }
}

StatusOr<std::shared_ptr<const ServedKernel>> Session::fetch(const ProblemHandle& problem) {
  KILN_ASSIGN_OR_RETURN(std::shared_ptr<const ServedKernel> kernel,
                        ask(problem, problem.policy(), wait_of(problem.policy(), options_)));
  std::lock_guard lock(mutex_);
  loaded_[kernel->artifact_hash] = kernel->code;
  std::vector<std::string>& hashes = hashes_[problem.key().group];
  if (std::find(hashes.begin(), hashes.end(), kernel->artifact_hash) == hashes.end()) {
    if (hashes.size() == kKnownArtifacts) hashes.erase(hashes.begin());
    hashes.push_back(kernel->artifact_hash);
  }
  table_.put(problem.key(), kernel);
  if (kernel->provenance.provisional) watch(problem);
  return kernel;
}

void Session::watch(const ProblemHandle& problem) {
  if (options_.refresh_interval.count() <= 0 || problem.policy().frozen) return;
  for (const Provisional& known : provisional_) {
    if (known.problem.key() == problem.key()) return;
  }
  provisional_.push_back({problem, options_.refresh_interval,
                          std::chrono::steady_clock::now() + options_.refresh_interval});
  if (!refresher_.joinable()) {
    refresher_ = std::jthread([this](std::stop_token stop) { refresh(stop); });
  }
  changed_.notify_all();
}

void Session::refresh(std::stop_token stop) {
  const auto earlier = [](const Provisional& a, const Provisional& b) { return a.due < b.due; };
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !provisional_.empty(); }) &&
         !stop.stop_requested()) {
    const auto next = std::min_element(provisional_.begin(), provisional_.end(), earlier);
    if (next->due > std::chrono::steady_clock::now()) {
      const auto due = next->due;
      changed_.wait_until(lock, stop, due, [] { return false; });
      continue;
    }
    Provisional entry = *next;
    provisional_.erase(next);
    lock.unlock();
    const bool again = refresh(entry.problem);
    lock.lock();
    if (!again) continue;
    entry.pause = std::min(2 * entry.pause, kLongestPause);
    entry.due = std::chrono::steady_clock::now() + entry.pause;
    provisional_.push_back(std::move(entry));
  }
}

bool Session::refresh(const ProblemHandle& problem) {
  Policy policy = problem.policy();
  policy.wait = Policy::Wait::kNone;
  StatusOr<std::shared_ptr<const ServedKernel>> kernel = [&] {
    std::lock_guard gate(fork_gate());
    return ask(problem, policy, kRefreshTime);
  }();
  // Without an answer the stand-in stays, and the daemon is asked again later.
  if (!kernel.ok()) return true;
  const std::shared_ptr<const ServedKernel> present = table_.find(problem.key());
  std::lock_guard lock(mutex_);
  loaded_[(*kernel)->artifact_hash] = (*kernel)->code;
  if (present == nullptr || present->artifact_hash != (*kernel)->artifact_hash ||
      present->provenance.winner_id != (*kernel)->provenance.winner_id ||
      present->provenance.provisional != (*kernel)->provenance.provisional) {
    table_.put(problem.key(), *kernel);
  }
  return (*kernel)->provenance.provisional;
}

}  // namespace kiln
