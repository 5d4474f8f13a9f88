// Every family of this build, and the kernel sources that came with it.

#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/family.h"

namespace kiln {

// In alphabetical order; they live as long as the process.
std::vector<const Family*> families();

// Kernel sources by path as #include names them ("tile/core.h", "runtime/host/abi.h").
const std::map<std::string, std::string, std::less<>>& embedded_sources();

}  // namespace kiln
