// Everything measured of a problem on a device, read page by page.

#pragma once

#include <cstdint>
#include <string>

#include "core/status.h"
#include "db/store.h"

namespace kiln::engine {

// Calls `visit` for every row, oldest first. The store's error when it cannot be read on: what came
// before has been visited.
template <class Visit>
Status for_each_measurement(db::Store& store, const db::ProblemRef& problem,
                            const std::string& fingerprint, Visit visit) {
  constexpr int kPage = 1000;
  for (db::Page page{.after = 0, .limit = kPage};;) {
    KILN_ASSIGN_OR_RETURN(const auto rows, store.measurements(problem, fingerprint, page));
    if (rows.empty()) return absl::OkStatus();
    page.after = rows.back().id;
    for (const db::MeasurementRow& row : rows)
      visit(row);
  }
}

}  // namespace kiln::engine
