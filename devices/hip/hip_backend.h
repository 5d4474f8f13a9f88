// Kernels become AMD code objects: by hipRTC where it knows the architecture, by clang otherwise,
// or where a clang is asked for by name.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "devices/compile/backend.h"
#include "devices/compile/clang.h"

namespace kiln::devices {

class HipBackend : public Backend {
 public:
  // `compiler`: as Clang takes it; empty: hipRTC first.
  HipBackend(Target target, const std::string& compiler)
      : target_(std::move(target)), prefers_clang_(!compiler.empty()), clang_(compiler) {}

  const Target& target() const override { return target_; }
  Lowering lowering() const override { return {.header = "tile/hip.h", .separate_entries = true}; }
  // Of the target alone: code that comes compiled is found without a compiler.
  std::string flags() const override;
  StatusOr<std::string> version() const override;
  StatusOr<Build> build(const BuildJob& job) const override;

 private:
  struct Choice {
    std::string version;
    std::vector<std::string> command;  // up to what the target and the job add
    bool is_clang = false;
  };
  StatusOr<Choice> choose() const;

  Target target_;
  bool prefers_clang_;
  Clang clang_;
};

}  // namespace kiln::devices
