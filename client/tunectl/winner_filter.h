// Which winners a command is about: [FAMILY field=value …] --family --device.

#pragma once

#include <string>
#include <vector>

#include "client/tunectl/session.h"
#include "core/status.h"

namespace kiln::tunectl {

class OptionSet;

struct WinnerFilterOptions {
  std::vector<std::string> words;
  std::string family;
  std::string device;
};

// `options` must outlive the parsing.
void declare_winner_filter(OptionSet& set, WinnerFilterOptions& options);

StatusOr<v1::WinnerFilter> winner_filter(Session& session, const WinnerFilterOptions& options);

}  // namespace kiln::tunectl
