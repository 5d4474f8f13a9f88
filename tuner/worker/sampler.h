// Times launches in the child: rounds of one probe and one sample of every variant.
//
// A sample during which the system took a processor away from a thread is disturbed: it says more
// about the neighbours than about the variant. Disturbed samples count only where there are too few
// others.

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/status.h"
#include "tuner/worker/protocol.h"

namespace kiln::tuner::worker {

struct Samples {
  std::vector<std::vector<double>> launch_ns;  // [variant][sample], ns a launch
  std::vector<double> probe;                   // [sample], FLOP/s or bytes/s
  bool dropped = false;                        // lost the race
};

// A time of a launch in ns, or a probe's rate.
struct Sample {
  double value = 0;
  bool disturbed = false;
};

// What the sampler needs to know of the world.
struct Surroundings {
  // A launch's time out of `batch` of them, after an untimed one if asked for.
  std::function<StatusOr<Sample>(int variant, int batch, bool warm_up)> launch;
  std::function<StatusOr<Sample>(int64_t length_ns)> probe;  // one run of about this length
  std::function<int64_t()> clock;                            // monotonic, ns
};

class Sampler {
 public:
  explicit Sampler(Surroundings surroundings) : world_(std::move(surroundings)) {}

  // Ends when the 95 % interval of every median is narrower than asked for, the fastest of several
  // is beyond doubt, the budget is spent (but not before the first sample of each), or the race is
  // lost.
  StatusOr<Samples> run(const Command& command);

 private:
  using Series = std::vector<Sample>;

  static std::vector<double> usable(const Series& series);
  bool lost(const Command& command) const;
  bool settled(double target_width) const;

  Surroundings world_;
  std::vector<Series> launches_;  // [variant][round]
  Series probes_;
};

}  // namespace kiln::tuner::worker
