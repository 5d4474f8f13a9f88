#include "db/measurement_json.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace kiln::db {
namespace {

using nlohmann::json;

json number(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

double to_number(const json& value) {
  if (!value.is_string()) return value.get<double>();
  const std::string& text = value.get_ref<const std::string&>();
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  return std::numeric_limits<double>::quiet_NaN();
}

Timing to_timing(const json& value) {
  Timing timing;
  timing.median_ns = to_number(value.at("median_ns"));
  timing.minimum_ns = to_number(value.at("minimum_ns"));
  timing.p10_ns = to_number(value.at("p10_ns"));
  timing.p90_ns = to_number(value.at("p90_ns"));
  timing.median_low_ns = to_number(value.at("median_low_ns"));
  timing.median_high_ns = to_number(value.at("median_high_ns"));
  timing.samples = value.at("samples").get<int>();
  timing.probe_ratio = to_number(value.at("probe_ratio"));
  timing.peak_fraction = to_number(value.at("peak_fraction"));
  timing.noisy = value.at("noisy").get<bool>();
  return timing;
}

Verification to_verification(const json& value) {
  Verification verification;
  verification.seeds = value.at("seeds").get<int>();
  verification.units = value.at("units").get<int64_t>();
  verification.units_total = value.at("units_total").get<int64_t>();
  verification.worst_error = to_number(value.at("worst_error"));
  verification.worst_absolute = to_number(value.at("worst_absolute"));
  verification.problem = value.at("problem").get<std::string>();
  return verification;
}

}  // namespace

json timing_json(const Timing& timing) {
  return {{"median_ns", number(timing.median_ns)},
          {"minimum_ns", number(timing.minimum_ns)},
          {"p10_ns", number(timing.p10_ns)},
          {"p90_ns", number(timing.p90_ns)},
          {"median_low_ns", number(timing.median_low_ns)},
          {"median_high_ns", number(timing.median_high_ns)},
          {"samples", timing.samples},
          {"probe_ratio", number(timing.probe_ratio)},
          {"peak_fraction", number(timing.peak_fraction)},
          {"noisy", timing.noisy}};
}

json verification_json(const Verification& verification) {
  return {{"seeds", verification.seeds},
          {"units", verification.units},
          {"units_total", verification.units_total},
          {"worst_error", number(verification.worst_error)},
          {"worst_absolute", number(verification.worst_absolute)},
          {"problem", verification.problem}};
}

std::string to_json(const Measurement& measurement) {
  json config = json::array();  // pairs: a Config is ordered
  for (const auto& [name, value] : measurement.config.values())
    config.push_back({name, value});
  const json document = {{"config", std::move(config)},
                         {"verdict", std::string(name_of(measurement.verdict))},
                         {"diagnostics", measurement.diagnostics},
                         {"timing", timing_json(measurement.timing)},
                         {"verification", verification_json(measurement.verification)},
                         {"warm", measurement.cache == CachePolicy::kWarm},
                         {"compile_ms", number(measurement.compile_ms)},
                         {"artifact_hash", measurement.artifact_hash},
                         {"code_identity", measurement.code_identity},
                         {"toolchain", measurement.toolchain},
                         {"unix_ns", measurement.unix_ns}};
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

StatusOr<Measurement> measurement_from_json(std::string_view text) {
  try {
    const json document = json::parse(text);
    Measurement measurement;
    std::vector<std::pair<std::string, int64_t>> config;
    for (const json& entry : document.at("config")) {
      config.emplace_back(entry.at(0).get<std::string>(), entry.at(1).get<int64_t>());
    }
    measurement.config = Config(std::move(config));
    const auto verdict = parse_verdict(document.at("verdict").get<std::string>());
    if (!verdict) return absl::DataLossError("measurement: unknown verdict");
    measurement.verdict = *verdict;
    measurement.diagnostics = document.at("diagnostics").get<std::string>();
    measurement.timing = to_timing(document.at("timing"));
    measurement.verification = to_verification(document.at("verification"));
    measurement.cache = document.at("warm").get<bool>() ? CachePolicy::kWarm : CachePolicy::kCold;
    measurement.compile_ms = to_number(document.at("compile_ms"));
    measurement.artifact_hash = document.at("artifact_hash").get<std::string>();
    measurement.code_identity = document.at("code_identity").get<std::string>();
    measurement.toolchain = document.at("toolchain").get<std::string>();
    measurement.unix_ns = document.at("unix_ns").get<int64_t>();
    return measurement;
  } catch (const json::exception& error) {
    return absl::DataLossError(std::string("measurement: ") + error.what());
  }
}

}  // namespace kiln::db
