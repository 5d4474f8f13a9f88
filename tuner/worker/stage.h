// Where a child's variants run: this processor, or a GPU. What they need there besides their code:
// tensors, a workspace, the time of a launch, the device's momentary peak.
//
// One thread. Between prepare() and the first launch come prepare_workspace() and confine(), in
// this order. Errors of launches: DATA_LOSS says what was written that must not be, ABORTED that
// the device will not go on; after either the process is of no more use.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/status.h"
#include "runtime/gpu/driver.h"
#include "runtime/kernel.h"
#include "tuner/worker/protocol.h"
#include "tuner/worker/sampler.h"

namespace kiln::tuner::worker {

class Stage {
 public:
  virtual ~Stage() = default;

  // The request's tensors, with what runs launches. RESOURCE_EXHAUSTED when there is no room.
  virtual Status prepare() = 0;
  // Variants are loaded that together need so much, zero before the first of them or not.
  virtual Status prepare_workspace(int64_t bytes, bool zero) = 0;
  // Gives up all that variants do not need.
  virtual Status confine() = 0;

  // A kernel that measures a peak.
  virtual Status add_probe(Probe probe, std::shared_ptr<const runtime::Kernel> kernel) = 0;
  // Memory that this probe needs.
  virtual Status prepare_probe(Probe probe) = 0;
  // FLOP/s or bytes/s of a run of about this length; 0 where the device has no such thing.
  virtual StatusOr<Sample> probe(Probe probe, int64_t length_ns) = 0;

  // Once on the tensors as the tuner left them, and back again; ns.
  virtual StatusOr<double> launch(const runtime::Dispatch& dispatch, bool without_optional) = 0;

  // Launches to be timed find what they read in memory (cold) or in caches.
  virtual Status prepare_timing(bool cold) = 0;
  // A launch's time out of `batch`, after an untimed one if asked for.
  virtual StatusOr<Sample> time(const runtime::Dispatch& dispatch, int batch, bool warm_up) = 0;
  // What the device is like at this moment, where something tells.
  virtual std::optional<runtime::GpuConditions> conditions() const { return std::nullopt; }
  // The dispatches timed so far are about to go.
  virtual void forget_dispatches() {}
};

}  // namespace kiln::tuner::worker
