// What the self-test runs: small problems at the edges of every family, and real shapes to tune.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/family.h"
#include "core/problem.h"
#include "core/status.h"
#include "core/target.h"

namespace kiln::selftest {

struct Case {
  const Family* family = nullptr;
  Problem problem;

  // "attention_forward batch=1 …", as the command line takes it.
  std::string name() const { return problem.text(); }
};

// Every family in every type: tails, borders, rows that meet nothing, orders of axes, epilogues.
// Those of all families come in turns, so that a run that is cut short has seen some of each.
std::vector<Case> corner_cases();

// Ten shapes of models in use; on a processor with few images or sequences.
std::vector<Case> real_shapes(const Target& target);

// "FAMILY field=value …"
StatusOr<Case> parse_case(std::string_view text);

}  // namespace kiln::selftest
