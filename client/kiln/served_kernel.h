// A kernel as the daemon served it: loaded code, and where it comes from. Immutable.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/measurement.h"
#include "core/space.h"
#include "runtime/kernel.h"

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

struct ServedKernel {
  std::shared_ptr<const runtime::Kernel> code;
  Provenance provenance;
  Config config;
  std::string artifact_hash;
  std::string device;
  std::string fingerprint;
  double flops = 0;              // of the problem that it was fetched for, by the family's
  double bytes = 0;              // convention
  bool bandwidth_bound = false;  // report GB/s rather than GFLOP/s
};

}  // namespace kiln
