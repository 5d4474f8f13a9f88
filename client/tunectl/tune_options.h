// The options that tune and pretune share.

#pragma once

#include <cstdint>
#include <string>

#include "core/status.h"
#include "kiln/v1/kiln.pb.h"

namespace kiln::tunectl {

class OptionSet;

struct TuneOptions {
  std::string device;
  std::string budget = "20s";
  std::string strategy;
  uint64_t seed = 1;
  bool warm = false;
  bool force = false;
};

// `options` must outlive the parsing.
void declare_tune_options(OptionSet& set, TuneOptions& options);

// A request with an id of its own, so that it may be sent twice.
StatusOr<v1::CreateJobRequest> job_request(const v1::Problem& problem, const TuneOptions& options);

}  // namespace kiln::tunectl
