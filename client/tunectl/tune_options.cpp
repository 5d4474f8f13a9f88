#include "client/tunectl/tune_options.h"

#include <fmt/format.h>

#include <random>

#include "client/tunectl/budget.h"
#include "client/tunectl/option_set.h"

namespace kiln::tunectl {
namespace {

std::string new_request_id() {
  std::random_device random;
  return fmt::format("tunectl-{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

}  // namespace

void declare_tune_options(OptionSet& set, TuneOptions& options) {
  set.text("--budget LIMITS", options.budget,
           "A time (20s), evaluations (200e), a part of the peak (90%), or several with "
           "commas");
  set.text("--strategy NAME", options.strategy, "Search strategy (default: the service's)");
  set.number("--seed N", options.seed, "Seed of the search");
  set.text("--device NAME", options.device, "Device by name or fingerprint (default host)");
  set.flag("--warm", options.warm, "Measure with data in the cache (default: cold)");
  set.flag("--force", options.force, "Tune even when a fresh winner is known");
}

StatusOr<v1::CreateJobRequest> job_request(const v1::Problem& problem, const TuneOptions& options) {
  v1::CreateJobRequest request;
  KILN_ASSIGN_OR_RETURN(*request.mutable_budget(), parse_budget(options.budget));
  *request.mutable_problem() = problem;
  request.set_device(options.device);
  request.set_strategy(options.strategy);
  request.set_seed(options.seed);
  request.set_cache(options.warm ? v1::CACHE_POLICY_WARM : v1::CACHE_POLICY_COLD);
  request.set_force(options.force);
  request.set_request_id(new_request_id());
  return request;
}

}  // namespace kiln::tunectl
