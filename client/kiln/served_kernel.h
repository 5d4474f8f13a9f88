// A kernel as the daemon served it: loaded code, and where it comes from. Immutable.

#pragma once

#include <memory>
#include <string>

#include "core/provenance.h"
#include "core/space.h"
#include "runtime/kernel.h"

namespace kiln {

struct ServedKernel {
  std::shared_ptr<const runtime::Kernel> code;
  Provenance provenance;
  Config config;
  std::string config_text;  // with names for values that have one
  std::string artifact_hash;
  std::string device;
  std::string fingerprint;
  double flops = 0;              // of the problem that it was fetched for, by the family's
  double bytes = 0;              // convention
  bool bandwidth_bound = false;  // report GB/s rather than GFLOP/s
};

}  // namespace kiln
