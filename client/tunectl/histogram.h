// A histogram in text: how the times of all variants are spread.
//
//      1.23 ms ████████████████ 31  ← winner
//      1.41 ms ██████ 12
//
// Bins are equal in the logarithm of the time, since variants differ by factors.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "client/tunectl/terminal.h"

namespace kiln::tunectl {

// `marks` are times with a name. Empty for no times; lines end with a line end.
std::string time_histogram(const Terminal& terminal, const std::vector<double>& nanoseconds,
                           const std::vector<std::pair<double, std::string>>& marks);

}  // namespace kiln::tunectl
