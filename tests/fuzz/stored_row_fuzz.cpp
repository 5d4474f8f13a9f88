// What rows of the database hold as text: refused, or read so that writing and reading again gives
// the same; and rows of any text can be exported.

#include <nlohmann/json.hpp>
#include <string>

#include "core/plan.h"
#include "db/measurement_json.h"
#include "engine/catalogue.h"
#include "engine/export.h"
#include "engine/job_options.h"
#include "templates/registry.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace kiln;

void read_job_options(std::string_view text) {
  const auto options = engine::job_options_from_json(text);
  if (!options.ok()) return;
  const std::string stored = engine::to_json(*options);
  const auto again = engine::job_options_from_json(stored);
  fuzz::require(again.ok() && engine::to_json(*again) == stored, "job options survive their JSON");
}

// The row's problem: "family field=value …".
void read_winner(const engine::Catalogue& catalogue, std::string_view text) {
  db::WinnerRow row;
  const size_t space = text.find(' ');
  row.problem.family = text.substr(0, space);
  row.problem.text = space == std::string_view::npos ? "" : text.substr(space + 1);
  row.fingerprint = text;
  if (auto measurement = db::measurement_from_json(text); measurement.ok()) {
    const std::string stored = db::to_json(*measurement);
    const auto again = db::measurement_from_json(stored);
    fuzz::require(again.ok() && db::to_json(*again) == stored, "a measurement survives its JSON");
    row.created_unix_ns = measurement->unix_ns;
    row.measurement = *std::move(measurement);
  }
  if (const auto problem = catalogue.problem_of(row.problem); problem.ok()) {
    const auto again = catalogue.problem_of(engine::reference_to(*problem));
    fuzz::require(again.ok() && *again == *problem, "a problem survives its row");
  }
  const auto document = engine::export_document(
      {row}, catalogue, [](const std::string&) -> const Target* { return nullptr; });
  fuzz::require(document.ok() && nlohmann::json::accept(*document), "an export is JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const engine::Catalogue catalogue(families(), {});
  const std::string_view text = fuzz::text(data, size);
  read_job_options(text);
  read_winner(catalogue, text);
  return 0;
}
