#include "engine/job_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tuner/strategy.h"

namespace kiln::engine {

using nlohmann::json;

Status check(const tuner::TuneOptions& options) {
  const auto names = tuner::strategy_names();
  if (std::find(names.begin(), names.end(), options.strategy) == names.end()) {
    return invalid_field("strategy", options.strategy,
                         fmt::format("one of {}", fmt::join(names, ", ")));
  }
  const tuner::Budget& budget = options.budget;
  constexpr std::chrono::hours kLongest{24 * 30};
  if (budget.time && (budget.time->count() <= 0 || *budget.time > kLongest)) {
    return invalid_field("budget.time", fmt::format("{} ms", budget.time->count()),
                         "a time of more than 0 and at most 30 days");
  }
  if (budget.evaluations && *budget.evaluations <= 0) {
    return invalid_field("budget.evaluations", std::to_string(*budget.evaluations),
                         "a number of at least 1");
  }
  if (budget.peak_fraction && !(*budget.peak_fraction > 0 && *budget.peak_fraction <= 1)) {
    return invalid_field("budget.peak_fraction", fmt::format("{}", *budget.peak_fraction),
                         "a fraction above 0 and at most 1");
  }
  return absl::OkStatus();
}

std::string to_json(const JobOptions& options) {
  const tuner::Budget& budget = options.tune.budget;
  json document = {{"strategy", options.tune.strategy},
                   {"seed", options.tune.seed},
                   {"warm", options.tune.cache == CachePolicy::kWarm},
                   {"force", options.force},
                   {"automatic", options.automatic}};
  if (budget.time) document["time_ms"] = budget.time->count();
  if (budget.evaluations) document["evaluations"] = *budget.evaluations;
  if (budget.peak_fraction) document["peak_fraction"] = *budget.peak_fraction;
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

StatusOr<JobOptions> job_options_from_json(std::string_view text) {
  try {
    const json document = json::parse(text);
    JobOptions options;
    options.tune.strategy = document.at("strategy").get<std::string>();
    options.tune.seed = document.at("seed").get<uint64_t>();
    options.tune.cache = document.at("warm").get<bool>() ? CachePolicy::kWarm : CachePolicy::kCold;
    options.force = document.at("force").get<bool>();
    options.automatic = document.at("automatic").get<bool>();
    if (document.contains("time_ms")) {
      options.tune.budget.time = std::chrono::milliseconds(document.at("time_ms").get<int64_t>());
    }
    if (document.contains("evaluations")) {
      options.tune.budget.evaluations = document.at("evaluations").get<int64_t>();
    }
    if (document.contains("peak_fraction")) {
      options.tune.budget.peak_fraction = document.at("peak_fraction").get<double>();
    }
    KILN_RETURN_IF_ERROR(check(options.tune));
    return options;
  } catch (const json::exception& error) {
    return absl::DataLossError(std::string("options of a job: ") + error.what());
  }
}

}  // namespace kiln::engine
