// What this process's control groups, versions 1 and 2, allow it.
//
// Every group up to the root counts: the smallest limit holds. What cannot be read is no limit.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kiln::runtime {

class Cgroup {
 public:
  // `root` stands before every path that is read; tests point it to a made-up tree.
  explicit Cgroup(std::string root = "") : root_(std::move(root)) {}

  // Processors' worth of time, e.g. 1.5.
  std::optional<double> cpu_quota() const;
  // Bytes.
  std::optional<int64_t> memory_limit() const;

 private:
  std::string root_;
};

}  // namespace kiln::runtime
