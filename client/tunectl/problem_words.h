// A problem as it is written on the command line: FAMILY field=value …

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/status.h"
#include "kiln/v1/problem.pb.h"

namespace kiln::tunectl {

// "name=value" pairs; the text before the first '=' must not be empty.
StatusOr<std::vector<std::pair<std::string, std::string>>> parse_assignments(
    const std::vector<std::string>& words, std::string_view option);

// The first word is the family. A word may hold several assignments, so that a problem's text as
// printed elsewhere can be given in quotes. Values travel as text and are read by the service.
StatusOr<v1::Problem> parse_problem(const std::vector<std::string>& words);

v1::Problem to_message(const std::string& family,
                       const std::vector<std::pair<std::string, std::string>>& fields);

// "attention_forward batch=1 …", as given.
std::string text_of(const v1::Problem& problem);

}  // namespace kiln::tunectl
