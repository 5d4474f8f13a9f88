#include "engine/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>

#include "core/fingerprint.h"
#include "engine/import_reader.h"
#include "engine/measurement_pages.h"

namespace kiln::engine {
namespace {

using Field = ImportReader::Field;
using nlohmann::json;

constexpr std::string_view kExportSchema = "kiln.export.v";
constexpr std::string_view kReportSchema = "kiln.selftest.v";
constexpr int kVersion = 1;  // of both
constexpr size_t kMaxEntries = 100'000;
constexpr size_t kMaxText = 4096;
constexpr size_t kMaxName = 256;
constexpr size_t kMaxParameters = 64;
constexpr double kMost = 1e18;  // nanoseconds: 30 years
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr size_t kMaxCandidates = 4;

// The version in "kiln.export.v1".
std::optional<int> version_of(std::string_view schema, std::string_view name) {
  if (!schema.starts_with(name)) return std::nullopt;
  schema.remove_prefix(name.size());
  int version = 0;
  const auto [end, error] = std::from_chars(schema.data(), schema.data() + schema.size(), version);
  if (error != std::errc() || end != schema.data() + schema.size()) return std::nullopt;
  return version;
}

class Document {
 public:
  explicit Document(const Catalogue& catalogue) : catalogue_(catalogue) {}

  StatusOr<std::vector<db::MeasurementRow>> read(const json& document) {
    Field root{&document, ""};
    if (!document.is_object()) {
      return absl::InvalidArgumentError("expected a JSON object as `tunectl export` writes it");
    }
    if (schema_is(root, kReportSchema)) {
      root = in_.field(root, "export");
      if (!in_.is_object(root)) return in_.status();
    }
    if (!schema_is(root, kExportSchema)) {
      in_.refuse(in_.field(root, "schema"),
                 fmt::format("{}{} or {}{}", kExportSchema, kVersion, kReportSchema, kVersion));
    }
    const Field winners = in_.field(root, "winners");
    if (!in_.status().ok() || !in_.is_array(winners, kMaxEntries)) return in_.status();
    for (size_t i = 0; i < winners.value->size() && in_.status().ok(); ++i)
      read_entry(ImportReader::element(winners, i));
    KILN_RETURN_IF_ERROR(in_.status());
    return std::move(rows_);
  }

 private:
  bool schema_is(const Field& object, std::string_view name) {
    const Field schema = in_.field(object, "schema");
    const std::optional<int> version = version_of(in_.text(schema, kMaxName), name);
    if (version && *version != kVersion) {
      in_.refuse(schema, fmt::format("version {}, which this Kiln reads{}", kVersion,
                                     *version > kVersion ? "; a newer Kiln wrote this" : ""));
    }
    return version.has_value();
  }

  void read_entry(const Field& entry) {
    if (!in_.is_object(entry)) return;
    const Field device = in_.field(entry, "device");
    if (!in_.is_object(device)) return;
    const Field fingerprint = in_.field(device, "fingerprint");
    db::MeasurementRow row;
    row.fingerprint = in_.text(fingerprint, kMaxText);
    if (const auto parsed = Fingerprint::parse(row.fingerprint); !parsed.ok()) {
      in_.refuse(fingerprint, "kind/architecture/instruction set/units/model");
    }
    const auto problem = read_problem(entry);
    in_.integer(in_.field(entry, "space_version"), 0);
    in_.integer(in_.field(entry, "evaluations"), 0);
    in_.time(in_.field(entry, "tuned_at"));
    if (!problem) return;
    row.problem = reference_to(*problem);
    for (const char* which : {"winner", "baseline"}) {
      const Field measured = in_.field(entry, which);
      if (measured.value != nullptr && measured.value->is_null() && which[0] == 'b') continue;
      row.measurement = read_measurement(measured);
      if (!in_.status().ok()) return;
      rows_.push_back(row);
    }
  }

  std::optional<Problem> read_problem(const Field& entry) {
    const Field family_field = in_.field(entry, "family");
    const std::string name = in_.text(family_field, kMaxName);
    if (!in_.status().ok()) return std::nullopt;
    const auto family = catalogue_.family(name);
    if (!family.ok()) {
      in_.refuse(entry.path, family.status());
      return std::nullopt;
    }
    const Schema& schema = (*family)->schema();
    in_.integer(in_.field(entry, "schema_version"), schema.version(), schema.version());
    const Field fields = in_.field(entry, "problem");
    if (!in_.status().ok() || !in_.is_object(fields)) return std::nullopt;
    std::vector<std::pair<std::string, Value>> values;
    for (const auto& [key, value] : fields.value->items()) {
      const Field field{&value, fields.path + "." + key};
      if (value.is_boolean()) {
        values.emplace_back(key, value.get<bool>());
      } else if (value.is_string()) {
        values.emplace_back(key, in_.text(field, kMaxText));
      } else if (value.is_number_float()) {
        values.emplace_back(key, value.get<double>());
      } else if (value.is_number()) {
        values.emplace_back(key, in_.integer(field, std::numeric_limits<int64_t>::min()));
      } else {
        in_.refuse(field, "a number, a string, true or false");
      }
    }
    if (!in_.status().ok()) return std::nullopt;
    auto problem = Problem::make(schema, values);
    const Status fits = problem.ok() ? (*family)->check(*problem) : problem.status();
    if (fits.ok()) return *std::move(problem);
    in_.refuse(fields.path, fits);
    return std::nullopt;
  }

  Measurement read_measurement(const Field& object) {
    Measurement measurement;
    if (!in_.is_object(object)) return measurement;
    measurement.diagnostics = "imported";
    measurement.config = read_config(in_.field(object, "config"));
    measurement.timing = read_timing(in_.field(object, "timing"));
    measurement.verification = read_verification(in_.field(object, "verification"));
    const Field cache = in_.field(object, "cache");
    const std::string policy = in_.text(cache, kMaxName);
    if (policy != "cold" && policy != "warm") in_.refuse(cache, "cold or warm");
    measurement.cache = policy == "warm" ? CachePolicy::kWarm : CachePolicy::kCold;
    measurement.compile_ms = in_.number(in_.field(object, "compile_ms"), 0, kMost);
    measurement.artifact_hash = in_.text(in_.field(object, "artifact_hash"), kMaxName);
    measurement.code_identity = in_.text(in_.field(object, "code_identity"), kMaxName);
    measurement.toolchain = in_.text(in_.field(object, "toolchain"), kMaxName);
    measurement.unix_ns = in_.time(in_.field(object, "measured_at"));
    return measurement;
  }

  Config read_config(const Field& object) {
    if (!in_.is_object(object)) return {};
    if (object.value->size() > kMaxParameters) {
      in_.refuse(object, fmt::format("at most {} parameters", kMaxParameters));
      return {};
    }
    std::vector<std::pair<std::string, int64_t>> values;
    for (const auto& [name, value] : object.value->items()) {
      const Field field{&value, object.path + "." + name};
      values.emplace_back(name, in_.integer(field, std::numeric_limits<int64_t>::min()));
    }
    Config config(std::move(values));
    // Names that a config's text cannot hold (spaces, "=") would not be read back.
    const auto again = Config::parse(config.text());
    if (!again.ok() || *again != config) in_.refuse(object, "parameters with plain names");
    return config;
  }

  Timing read_timing(const Field& object) {
    Timing timing;
    if (!in_.is_object(object)) return timing;
    const auto time = [&](const char* name, double least, double most) {
      return in_.number(in_.field(object, name), least, most);
    };
    constexpr double kLeast = 1e-3;
    timing.median_ns = time("median_ns", kLeast, kMost);
    timing.minimum_ns = time("minimum_ns", kLeast, timing.median_ns);
    timing.p10_ns = time("p10_ns", timing.minimum_ns, timing.median_ns);
    timing.p90_ns = time("p90_ns", timing.median_ns, kMost);
    timing.median_low_ns = time("median_low_ns", 0, timing.median_ns);
    timing.median_high_ns = time("median_high_ns", timing.median_ns, kInfinity);
    timing.samples = int(in_.integer(in_.field(object, "samples"), 1, 1'000'000'000));
    timing.probe_ratio = time("probe_ratio", 0, kMost);
    timing.peak_fraction = time("peak_fraction", 0, kMost);
    timing.noisy = in_.boolean(in_.field(object, "noisy"));
    return timing;
  }

  Verification read_verification(const Field& object) {
    Verification verification;
    if (!in_.is_object(object)) return verification;
    verification.seeds = int(in_.integer(in_.field(object, "seeds"), 0, 1'000'000));
    verification.units = in_.integer(in_.field(object, "units"), 0);
    verification.units_total = in_.integer(in_.field(object, "units_total"), 0);
    verification.worst_error = in_.number(in_.field(object, "worst_error"), 0, 1);
    verification.worst_absolute = in_.number(in_.field(object, "worst_absolute"), 0, kInfinity);
    verification.problem = in_.text(in_.field(object, "problem"), kMaxText);
    return verification;
  }

  const Catalogue& catalogue_;
  ImportReader in_;
  std::vector<db::MeasurementRow> rows_;
};

// What makes two measurements the same one; exports hold whole seconds.
auto identity(const Measurement& measurement) {
  auto values = measurement.config.values();
  std::sort(values.begin(), values.end());
  return std::tuple(Config(std::move(values)).text(), measurement.cache,
                    measurement.timing.median_ns, measurement.timing.samples,
                    measurement.code_identity, measurement.toolchain,
                    measurement.unix_ns / 1'000'000'000);
}
using Identity = decltype(identity(Measurement()));

}  // namespace

StatusOr<std::vector<db::MeasurementRow>> read_import(std::string_view document,
                                                      const Catalogue& catalogue) {
  if (document.size() > kMaxImportBytes) {
    return absl::InvalidArgumentError(
        fmt::format("the document is larger than {} MiB", kMaxImportBytes >> 20));
  }
  try {
    return Document(catalogue).read(json::parse(document));
  } catch (const json::parse_error& error) {
    return absl::InvalidArgumentError(
        fmt::format("no JSON at byte {}; expected what `tunectl export` writes", error.byte));
  }
}

StatusOr<ImportReport> add_imported(const std::vector<db::MeasurementRow>& rows, db::Store& store) {
  ImportReport report;
  std::map<std::pair<std::string, std::string>, std::set<Identity>> stored;  // by problem, device
  std::set<std::string> fingerprints;
  for (const db::MeasurementRow& row : rows) {
    const auto [at, fresh] = stored.try_emplace({row.problem.exact_key, row.fingerprint});
    if (fresh) {
      KILN_RETURN_IF_ERROR(for_each_measurement(store, row.problem, row.fingerprint,
                                                [&](const db::MeasurementRow& known) {
                                                  at->second.insert(identity(known.measurement));
                                                }));
      // Of a final, which winners alone hold.
      KILN_ASSIGN_OR_RETURN(const auto winner,
                            store.find_winner(row.problem.problem_key, row.fingerprint));
      if (winner && winner->problem.exact_key == row.problem.exact_key) {
        at->second.insert(identity(winner->measurement));
        if (winner->baseline) at->second.insert(identity(*winner->baseline));
      }
    }
    fingerprints.insert(row.fingerprint);
    if (!at->second.insert(identity(row.measurement)).second) {
      ++report.known;
      continue;
    }
    KILN_RETURN_IF_ERROR(store.add_measurement(row).status());
    ++report.added;
  }
  report.fingerprints.assign(fingerprints.begin(), fingerprints.end());
  return report;
}

StatusOr<std::vector<Config>> imported_candidates(db::ProblemRef problem,
                                                  const std::string& fingerprint,
                                                  const Space& space, CachePolicy cache,
                                                  db::Store& store) {
  problem.exact_key.clear();
  std::multimap<double, Config> by_time;
  KILN_RETURN_IF_ERROR(
      for_each_measurement(store, problem, fingerprint, [&](const db::MeasurementRow& row) {
        const Measurement& measurement = row.measurement;
        if (row.job_id != db::kImported || measurement.cache != cache) return;
        if (!space.check(measurement.config).ok()) return;
        // Documents know no order of parameters.
        by_time.emplace(measurement.timing.median_ns,
                        space.config(*space.levels(measurement.config)));
      }));
  std::vector<Config> candidates;
  for (auto& [time, config] : by_time) {
    if (candidates.size() == kMaxCandidates) break;
    if (std::find(candidates.begin(), candidates.end(), config) == candidates.end()) {
      candidates.push_back(std::move(config));
    }
  }
  return candidates;
}

}  // namespace kiln::engine
