// Where a served kernel comes from, and how good it is known to be.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/measurement.h"

namespace kiln {

struct Provenance {
  enum class Kind : uint8_t { kTuned, kTransferred, kDefault };
  Kind kind = Kind::kDefault;
  bool provisional = true;              // something better may come
  bool stale = false;                   // tuned with other code or another toolchain
  int64_t winner_id = 0;                // tuned and transferred
  std::string tuned_problem;            // text of the problem it was tuned on
  Measurement measurement;              // with its verification
  std::optional<Measurement> baseline;  // the default in the same final
  int64_t job_id = 0;                   // of the tuning under way or queued, 0: none
};

}  // namespace kiln
