// Times launches in the child: rounds of one probe and one sample of every variant.

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/status.h"
#include "tuner/worker/protocol.h"

namespace kiln::tuner::worker {

struct Samples {
  std::vector<std::vector<double>> launch_ns;  // [variant][round], ns a launch
  std::vector<double> probe;                   // [round], FLOP/s or bytes/s
  bool dropped = false;                        // lost the race
};

class Sampler {
 public:
  using Launch = std::function<Status(int variant)>;  // on the next copy of the buffers
  using RunProbe = std::function<double(int64_t length_ns)>;
  using Clock = std::function<int64_t()>;  // monotonic, ns

  Sampler(Launch launch, RunProbe probe, Clock clock)
      : launch_(std::move(launch)), probe_(std::move(probe)), clock_(std::move(clock)) {}

  // Ends when the 95 % interval of every median is narrower than asked for, the fastest of several
  // is beyond doubt, the budget is spent (but not before the first sample of each), or the race is
  // lost.
  StatusOr<Samples> run(const Command& command);

 private:
  StatusOr<double> sample(int variant, int batch, bool warm);
  bool lost(const Command& command, const Samples& samples) const;

  Launch launch_;
  RunProbe probe_;
  Clock clock_;
};

}  // namespace kiln::tuner::worker
