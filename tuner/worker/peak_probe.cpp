#include "tuner/worker/peak_probe.h"

#include <sys/mman.h>

#include <chrono>

#include "runtime/host/instruction_set.h"

namespace kiln::tuner::worker {

PeakProbe::PeakProbe(runtime::ParallelFor& parallel, int memory, int64_t bytes)
    : parallel_(parallel),
      memory_(memory),
      bytes_(bytes),
      probe_(runtime::best_instruction_set(), {}) {}

Status PeakProbe::prepare(Probe probe) {
  const bool bandwidth = probe == Probe::kRead || probe == Probe::kCopy;
  if (!bandwidth || area_.data() != nullptr) return absl::OkStatus();
  // Present at once: page faults are no part of the bandwidth.
  KILN_ASSIGN_OR_RETURN(
      area_, Mapping::map(memory_, 0, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE));
  probe_ = devices::Probe(runtime::best_instruction_set(),
                          {reinterpret_cast<std::byte*>(area_.data()), size_t(bytes_)});
  return absl::OkStatus();
}

double PeakProbe::run(Probe probe, int64_t length_ns) {
  const std::chrono::nanoseconds length(length_ns);
  switch (probe) {
    case Probe::kFma:
      return probe_.fma(parallel_, length);
    case Probe::kBf16:
      return probe_.bf16_dot(parallel_, length);
    case Probe::kRead:
      return probe_.read(parallel_, length);
    case Probe::kCopy:
      return probe_.copy(parallel_, length);
  }
  return 0;
}

}  // namespace kiln::tuner::worker
