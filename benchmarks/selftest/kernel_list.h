// The variants that a bundle brings compiled: configs by problem, for one architecture.
//
// DIRECTORY/lists/<kind>-<architecture>.json beside the compilations themselves
// (devices/compile/compiled_kernels.h). A machine with a compiler of its own needs neither.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "benchmarks/selftest/cases.h"
#include "core/space.h"
#include "core/status.h"
#include "core/target.h"
#include "devices/compiler.h"

namespace kiln::selftest {

class KernelList {
 public:
  // Empty where the directory has none for this target; INVALID_ARGUMENT for a file that is broken.
  static StatusOr<KernelList> read(const std::string& directory, const Target& target);
  Status write(const std::string& directory, const Target& target) const;

  void add(const Case& tested, const Config& config) { configs_[tested.name()].push_back(config); }
  // In the order in which they were added; only those that the space admits.
  std::vector<Config> of(const Case& tested, const Space& space) const;
  bool empty() const { return configs_.empty(); }

 private:
  std::map<std::string, std::vector<Config>> configs_;
};

// The default, and `others` points of the problem's space, the same ones each time.
std::vector<Config> chosen_configs(const Case& tested, const Target& target, int others);

// Compiles the chosen configs of all cases and shapes into `directory`. What cannot be compiled is
// left out and told on the standard error.
Status compile_kernels(const devices::Compiler& compiler, const std::string& directory);

}  // namespace kiln::selftest
