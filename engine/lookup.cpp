#include "engine/lookup.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "core/key.h"
#include "engine/footprint.h"

namespace kiln::engine {
namespace {

constexpr double kMaxRatio = 4.0;        // between a sized field and the similar problem's
constexpr int64_t kMaxSimilar = 10'000;  // winners with the same statics that are looked at
constexpr size_t kMaxChecked = 512;      // compiled stand-ins kept, about 50 KB each
constexpr size_t kMaxCandidates = 4;     // handed to a tuning as its first configs

std::shared_ptr<KernelAnswer> make_answer(const ServedDevice& device, const Family& family,
                                          const Problem& problem, const Config& config,
                                          Space space) {
  auto answer = std::make_shared<KernelAnswer>();
  answer->config = config;
  answer->space = std::make_shared<const Space>(std::move(space));
  answer->cost = family.cost(problem);
  answer->device = device.name();
  answer->fingerprint = device.fingerprint_text();
  return answer;
}

void describe(KernelAnswer& answer, const db::WinnerRow& row, Provenance::Kind kind, bool stale) {
  answer.provenance.kind = kind;
  answer.provenance.stale = stale;
  answer.provenance.provisional = stale || kind != Provenance::Kind::kTuned;
  answer.provenance.winner_id = row.id;
  answer.provenance.tuned_problem = row.problem.text;
  answer.provenance.measurement = row.measurement;
  answer.provenance.baseline = row.baseline;
}

}  // namespace

std::optional<db::WinnerRow> Lookup::find_winner(const ServedDevice& device,
                                                 const Problem& problem) {
  auto row = store_.find_winner(problem_key(problem), device.fingerprint_text());
  if (row.ok()) return *std::move(row);
  spdlog::warn("lookup goes on without the store: {}", row.status().ToString());
  return std::nullopt;
}

bool Lookup::is_stale(const ServedDevice& device, const Problem& problem,
                      const db::WinnerRow& row) const {
  const Family& family = catalogue_.family_of(problem);
  const StatusOr<Space> space = catalogue_.space_of(problem, device.target());
  return !space.ok() || row.schema_version != family.schema().version() ||
         row.space_version != space->version() || !space->check(row.measurement.config).ok() ||
         !device.is_current(family, problem, row.measurement);
}

StatusOr<Lookup::Checked> Lookup::checked(const ServedDevice& device, const Problem& problem,
                                          const Config& config, Compile compile) {
  const Family& family = catalogue_.family_of(problem);
  const std::string key =
      device.name() + '\n' + device.code_identity(family, problem, config) + '\n' + config.text();
  {
    std::lock_guard lock(mutex_);
    if (auto known = checked_.find(key); known != checked_.end()) return known->second;
  }
  if (compile == Compile::kForbidden) return Checked();
  return compilations_.run(key, [&]() -> StatusOr<Checked> {
    {
      // Somebody else's compilation may have ended since the first look.
      std::lock_guard lock(mutex_);
      if (auto known = checked_.find(key); known != checked_.end()) return known->second;
    }
    KILN_ASSIGN_OR_RETURN(tuner::Tuner * tuner, device.tuner());
    auto result = tuner->check(family, problem, config, closing_);
    StatusOr<Checked> kept =
        result.ok() ? StatusOr<Checked>(std::make_shared<const tuner::Checked>(*std::move(result)))
                    : StatusOr<Checked>(annotate(result.status(), "config " + config.text()));
    // A variant that does not work will not work next time either; lack of memory, a compiler that
    // is gone or a closing engine may pass.
    if (kept.ok() || absl::IsFailedPrecondition(kept.status())) {
      std::lock_guard lock(mutex_);
      if (checked_.size() >= kMaxChecked) checked_.clear();
      checked_.emplace(key, kept);
    }
    return kept;
  });
}

StatusOr<Answer> Lookup::answer_from(const ServedDevice& device, const Problem& problem,
                                     const db::WinnerRow& row, Provenance::Kind kind,
                                     Compile compile) {
  const Family& family = catalogue_.family_of(problem);
  const Config& config = row.measurement.config;
  KILN_ASSIGN_OR_RETURN(Space space, catalogue_.space_of(problem, device.target()));
  const bool admitted = space.check(config).ok();
  const bool stale = is_stale(device, problem, row);
  auto answer = make_answer(device, family, problem, config, std::move(space));
  describe(*answer, row, kind, stale);

  // The very code that won was verified on this device. It serves another problem with today's plan
  // only if today's code for that problem is the same.
  const bool same_device = row.fingerprint == device.fingerprint_text();
  if (same_device && (kind == Provenance::Kind::kTuned || !stale)) {
    auto artifact = store_.artifact(row.measurement.artifact_hash);
    if (!artifact.ok()) {
      spdlog::warn("artifact of winner {}: {}", row.id, artifact.status().ToString());
    } else if (artifact->has_value()) {
      auto plan = plan_from_json(row.plan_json);
      if (!plan.ok() || !covers(*plan, problem) || kind != Provenance::Kind::kTuned) {
        plan = absl::NotFoundError("no stored plan for this problem");
        if (!stale) plan = family.plan(problem, config, device.target());
      }
      if (plan.ok()) {
        answer->artifact = std::make_shared<const Artifact>(**std::move(artifact));
        answer->plan = std::make_shared<const Plan>(*std::move(plan));
        return Answer(std::move(answer));
      }
    }
  }
  if (!admitted) return Answer();
  KILN_ASSIGN_OR_RETURN(const Checked compiled, checked(device, problem, config, compile));
  if (compiled == nullptr) return Answer();
  answer->artifact = std::shared_ptr<const Artifact>(compiled, &compiled->artifact);
  answer->plan = std::make_shared<const Plan>(family.plan(problem, config, device.target()));
  if (same_device && !stale) {
    // Lost or evicted: kept again for the next start.
    const Status kept = store_.put_artifact(compiled->artifact);
    if (!kept.ok()) spdlog::warn("artifact of winner {}: {}", row.id, kept.ToString());
  }
  return Answer(std::move(answer));
}

StatusOr<Answer> Lookup::tuned(const ServedDevice& device, const Problem& problem,
                               Compile compile) {
  const auto row = find_winner(device, problem);
  if (!row) return Answer();
  return answer_from(device, problem, *row, Provenance::Kind::kTuned, compile);
}

StatusOr<Answer> Lookup::pinned(const ServedDevice& device, const Problem& problem,
                                int64_t winner_id, Compile compile) {
  KILN_ASSIGN_OR_RETURN(const db::WinnerRow row, store_.winner(winner_id));
  if (row.problem.family != problem.family() || row.problem.statics_key != statics_key(problem)) {
    return invalid_field("pinned_winner", std::to_string(winner_id),
                         fmt::format("a winner with this problem's static fields; that one is of "
                                     "{} {}",
                                     row.problem.family, row.problem.text),
                         absl::StatusCode::kFailedPrecondition);
  }
  if (row.fingerprint != device.fingerprint_text()) {
    return invalid_field("pinned_winner", std::to_string(winner_id),
                         fmt::format("a winner of {}; that one is of {}", device.fingerprint_text(),
                                     row.fingerprint),
                         absl::StatusCode::kFailedPrecondition);
  }
  const auto kind = row.problem.problem_key == problem_key(problem)
                        ? Provenance::Kind::kTuned
                        : Provenance::Kind::kTransferred;
  KILN_ASSIGN_OR_RETURN(const Answer answer, answer_from(device, problem, row, kind, compile));
  if (answer == nullptr) {
    return absl::FailedPreconditionError(
        fmt::format("winner {}: its code is not stored any more and was not compiled again; "
                    "tune the problem and pin the new winner",
                    winner_id));
  }
  auto pinned = std::make_shared<KernelAnswer>(*answer);
  pinned->provenance.provisional = false;  // the caller asked for this one
  return Answer(std::move(pinned));
}

std::vector<Lookup::Similar> Lookup::similar(const ServedDevice& device, const Problem& problem) {
  const StatusOr<Space> space = catalogue_.space_of(problem, device.target());
  if (!space.ok()) return {};
  const std::string own_key = problem_key(problem);
  const auto rows =
      store_.winners({.family = problem.family(), .statics_key = statics_key(problem)},
                     {.after = 0, .limit = kMaxSimilar});
  if (!rows.ok()) {
    spdlog::warn("lookup goes on without the store: {}", rows.status().ToString());
    return {};
  }
  std::vector<Similar> found;
  for (const db::WinnerRow& row : *rows) {
    const bool same_device = row.fingerprint == device.fingerprint_text();
    if (same_device && row.problem.problem_key == own_key) continue;  // its own
    const auto fingerprint = Fingerprint::parse(row.fingerprint);
    if (!fingerprint.ok() || !fingerprint->same_architecture(device.fingerprint())) continue;
    const auto other = catalogue_.problem_of(row.problem);
    if (!other.ok()) continue;
    const double apart = distance(problem, *other, kMaxRatio);
    if (!std::isfinite(apart) || !space->check(row.measurement.config).ok()) continue;
    found.push_back({row, same_device, apart});
  }
  std::sort(found.begin(), found.end(), [](const Similar& a, const Similar& b) {
    return std::tie(b.same_device, a.distance, a.row.problem.problem_key) <
           std::tie(a.same_device, b.distance, b.row.problem.problem_key);
  });
  return found;
}

StatusOr<Answer> Lookup::transferred(const ServedDevice& device, const Problem& problem,
                                     Compile compile) {
  // The nearest that works; a stand-in that fails its check must not hide the next.
  int tried = 0;
  constexpr int kMaxTried = 3;
  for (const Similar& similar : similar(device, problem)) {
    if (tried++ == kMaxTried) break;
    auto answer =
        answer_from(device, problem, similar.row, Provenance::Kind::kTransferred, compile);
    if (!answer.ok()) {
      spdlog::info("winner {} does not stand in: {}", similar.row.id, answer.status().ToString());
      continue;
    }
    if (*answer != nullptr) return answer;
  }
  return Answer();
}

StatusOr<Answer> Lookup::fallback(const ServedDevice& device, const Problem& problem,
                                  Compile compile) {
  const Family& family = catalogue_.family_of(problem);
  KILN_ASSIGN_OR_RETURN(Space space, catalogue_.space_of(problem, device.target()));
  const Config config = family.default_config(problem, device.target());
  KILN_ASSIGN_OR_RETURN(const Checked compiled, checked(device, problem, config, compile));
  if (compiled == nullptr) return Answer();
  auto answer = make_answer(device, family, problem, config, std::move(space));
  answer->artifact = std::shared_ptr<const Artifact>(compiled, &compiled->artifact);
  answer->plan = std::make_shared<const Plan>(family.plan(problem, config, device.target()));
  answer->provenance.kind = Provenance::Kind::kDefault;
  answer->provenance.measurement = compiled->measurement;
  return Answer(std::move(answer));
}

Answer Lookup::fresh(const ServedDevice& device, const Problem& problem, const db::WinnerRow& row,
                     const Artifact& artifact, const Plan& plan) const {
  const Family& family = catalogue_.family_of(problem);
  auto answer = make_answer(device, family, problem, row.measurement.config,
                            family.space(problem, device.target()));
  describe(*answer, row, Provenance::Kind::kTuned, false);
  answer->artifact = std::make_shared<const Artifact>(artifact);
  answer->plan = std::make_shared<const Plan>(plan);
  return answer;
}

std::vector<Config> Lookup::candidates(const ServedDevice& device, const Problem& problem) {
  const StatusOr<Space> space = catalogue_.space_of(problem, device.target());
  std::vector<Config> configs;
  if (!space.ok()) return configs;
  if (const auto own = find_winner(device, problem);
      own && space->check(own->measurement.config).ok()) {
    configs.push_back(own->measurement.config);
  }
  for (const Similar& similar : similar(device, problem)) {
    if (configs.size() >= kMaxCandidates) break;
    const Config& config = similar.row.measurement.config;
    if (std::find(configs.begin(), configs.end(), config) == configs.end()) {
      configs.push_back(config);
    }
  }
  return configs;
}

std::optional<db::WinnerRow> Lookup::fresh_winner(const ServedDevice& device,
                                                  const Problem& problem) {
  auto row = find_winner(device, problem);
  if (row && is_stale(device, problem, *row)) row.reset();
  return row;
}

}  // namespace kiln::engine
