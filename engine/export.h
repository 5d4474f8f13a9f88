// The exported form of winners, "kiln.export.v1": docs/export.md.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/status.h"
#include "db/store.h"
#include "engine/catalogue.h"

namespace kiln::engine {

// The device with this fingerprint, if it is served here.
using TargetOf = std::function<const Target*(const std::string& fingerprint)>;

// A JSON document with sorted keys and winners in the order of device, family and problem, so that
// two exports differ where winners do. Targets name configs' values. Holds configs, measurements
// and provenance, never code.
StatusOr<std::string> export_document(const std::vector<db::WinnerRow>& rows,
                                      const Catalogue& catalogue, const TargetOf& target_of);

}  // namespace kiln::engine
