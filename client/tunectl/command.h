// A subcommand: declares its options, and returns what runs once they are parsed.

#pragma once

#include <functional>

#include "client/tunectl/option_set.h"
#include "client/tunectl/session.h"
#include "core/status.h"

namespace kiln::tunectl {

using Action = std::function<Status(Session&)>;

struct Command {
  const char* name;
  const char* description;
  Action (*declare)(OptionSet& set);
};

}  // namespace kiln::tunectl
