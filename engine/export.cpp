#include "engine/export.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "absl/time/time.h"
#include "core/fingerprint.h"
#include "db/measurement_json.h"

namespace kiln::engine {
namespace {

using nlohmann::json;

json value_json(const Value& value) {
  return std::visit([](const auto& alternative) { return json(alternative); }, value);
}

std::string time_text(int64_t unix_ns) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixNanos(unix_ns), absl::UTCTimeZone());
}

json config_json(const Config& config) {
  json object = json::object();
  for (const auto& [name, value] : config.values())
    object[name] = value;
  return object;
}

json device_json(const std::string& text) {
  json object = {{"fingerprint", text}};
  if (const auto fingerprint = Fingerprint::parse(text); fingerprint.ok()) {
    object["kind"] = fingerprint->kind;
    object["model"] = fingerprint->model;
    object["architecture"] = fingerprint->architecture;
    object["instruction_set"] = fingerprint->instruction_set;
    object["units"] = fingerprint->units;
  }
  return object;
}

// Fields with their types; a problem that today's schema does not admit stays text alone.
json problem_json(const StatusOr<Problem>& problem) {
  if (!problem.ok()) return nullptr;
  json object = json::object();
  for (size_t i = 0; i < problem->values().size(); ++i) {
    object[problem->schema().fields()[i].name] = value_json(problem->values()[i]);
  }
  return object;
}

json measured_json(const Measurement& measurement, const std::optional<Space>& space) {
  const Config& config = measurement.config;
  return {{"config", config_json(config)},
          {"config_text", space ? space->text(config) : config.text()},
          {"timing", db::timing_json(measurement.timing)},
          {"verification", db::verification_json(measurement.verification)},
          {"cache", std::string(name_of(measurement.cache))},
          {"compile_ms", measurement.compile_ms},
          {"artifact_hash", measurement.artifact_hash},
          {"code_identity", measurement.code_identity},
          {"toolchain", measurement.toolchain},
          {"measured_at", time_text(measurement.unix_ns)}};
}

json winner_json(const db::WinnerRow& row, const Catalogue& catalogue, const Target* target) {
  const auto problem = catalogue.problem_of(row.problem);
  std::optional<Space> space;
  if (problem.ok() && target != nullptr) {
    if (auto here = catalogue.space_of(*problem, *target); here.ok()) space = *std::move(here);
  }
  return {{"device", device_json(row.fingerprint)},
          {"family", row.problem.family},
          {"problem", problem_json(problem)},
          {"problem_text", row.problem.text},
          {"winner", measured_json(row.measurement, space)},
          {"baseline", row.baseline ? measured_json(*row.baseline, space) : json(nullptr)},
          {"evaluations", row.evaluations},
          {"schema_version", row.schema_version},
          {"space_version", row.space_version},
          {"tuned_at", time_text(row.created_unix_ns)}};
}

}  // namespace

StatusOr<std::string> export_document(const std::vector<db::WinnerRow>& rows,
                                      const Catalogue& catalogue, const TargetOf& target_of) {
  std::vector<const db::WinnerRow*> order;
  for (const db::WinnerRow& row : rows)
    order.push_back(&row);
  std::sort(order.begin(), order.end(), [](const db::WinnerRow* a, const db::WinnerRow* b) {
    return std::tie(a->fingerprint, a->problem.family, a->problem.text) <
           std::tie(b->fingerprint, b->problem.family, b->problem.text);
  });
  json document = {{"schema", "kiln.export.v1"}, {"winners", json::array()}};
  for (const db::WinnerRow* row : order) {
    document["winners"].push_back(winner_json(*row, catalogue, target_of(row->fingerprint)));
  }
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace kiln::engine
