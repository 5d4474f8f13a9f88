// Measurements from outside: what `kiln.export.v1` holds, or a report of the self-test around it
// ("kiln.selftest.v1", member "export"). docs/export.md.
//
// The document is not trusted: it is read in full, every field checked, before anything is stored.
// What is stored are measurements of the device that the document names, without a job: candidates,
// which the next tuning on that device tries first and measures anew. They are never served, nor
// taken for measured here.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/space.h"
#include "core/status.h"
#include "db/store.h"
#include "engine/catalogue.h"

namespace kiln::engine {

inline constexpr size_t kMaxImportBytes = 64 << 20;

struct ImportReport {
  int64_t added = 0;
  int64_t known = 0;                      // were stored already
  std::vector<std::string> fingerprints;  // of the devices measured
};

// INVALID_ARGUMENT names the entry, the field, its value and what was expected; also for a document
// of a newer version.
StatusOr<std::vector<db::MeasurementRow>> read_import(std::string_view document,
                                                      const Catalogue& catalogue);

// Stores what is not there yet: importing again adds nothing. One at a time for a store.
StatusOr<ImportReport> add_imported(const std::vector<db::MeasurementRow>& rows, db::Store& store);

// Configs of the space that were imported for the problem, or one with the same key, on this
// device; the fastest first, at most four.
StatusOr<std::vector<Config>> imported_candidates(db::ProblemRef problem,
                                                  const std::string& fingerprint,
                                                  const Space& space, CachePolicy cache,
                                                  db::Store& store);

}  // namespace kiln::engine
