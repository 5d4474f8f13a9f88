// The rates of this machine at the moment of asking.

#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "core/target.h"
#include "devices/host/probe.h"

namespace kiln::bench {

class Probes {
 public:
  // Takes memory of several last-level caches for the bandwidth probes.
  explicit Probes(const Target& target);

  // Kinds as kiln_bench_probe() names them; UNIMPLEMENTED without products of bf16 in hardware.
  StatusOr<double> rate(std::string_view kind, double milliseconds);

 private:
  std::vector<std::byte> buffer_;
  devices::Probe probe_;
};

}  // namespace kiln::bench
