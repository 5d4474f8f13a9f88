// A problem from the command line, resolved in this process: for commands that need no service.

#pragma once

#include <string>
#include <vector>

#include "core/family.h"
#include "core/problem.h"
#include "core/status.h"
#include "engine/catalogue.h"

namespace kiln::tunectl {

struct LocalProblem {
  const Family* family;
  Problem problem;  // has passed the family's check
};

// `words`: FAMILY field=value …, as parse_problem() takes them.
StatusOr<LocalProblem> resolve_problem(const engine::Catalogue& catalogue,
                                       const std::vector<std::string>& words);

}  // namespace kiln::tunectl
