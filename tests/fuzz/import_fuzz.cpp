// Documents of measurements from outside: refused, or read into rows that the store can keep.

#include <cmath>

#include "core/fingerprint.h"
#include "db/measurement_json.h"
#include "engine/import.h"
#include "templates/registry.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kiln;
  static const engine::Catalogue catalogue(families(), {});
  const auto rows = engine::read_import(fuzz::text(data, size), catalogue);
  if (!rows.ok()) {
    fuzz::require(absl::IsInvalidArgument(rows.status()), "a refused document is the caller's");
    return 0;
  }
  for (const db::MeasurementRow& row : *rows) {
    fuzz::require(Fingerprint::parse(row.fingerprint).ok(), "devices have a fingerprint");
    const auto problem = catalogue.problem_of(row.problem);
    fuzz::require(problem.ok() && engine::reference_to(*problem).exact_key == row.problem.exact_key,
                  "problems are read back from their row");
    fuzz::require(
        row.measurement.timing.median_ns > 0 && std::isfinite(row.measurement.timing.median_ns),
        "times are positive");
    const std::string stored = db::to_json(row.measurement);
    const auto again = db::measurement_from_json(stored);
    fuzz::require(again.ok() && db::to_json(*again) == stored, "measurements survive their row");
  }
  return 0;
}
