// What one tuning is about, as all its parts see it.

#pragma once

#include <memory>
#include <stop_token>

#include "core/family.h"
#include "core/measurement.h"
#include "core/problem.h"
#include "devices/device.h"
#include "tuner/compile_pool.h"
#include "tuner/run_worker.h"
#include "tuner/tuner.h"

namespace kiln::tuner {

// Everything it refers to outlives it.
struct SearchTask {
  const devices::Device& device;
  RunWorker& worker;
  const CompilePool& compilers;
  const Family& family;
  const Problem& problem;
  const TuneOptions& options;
  MeasurementSink& sink;
  std::stop_token stop;

  const Target& target() const { return device.target(); }
  int niceness() const { return options.priority == Priority::kBackground ? 19 : 0; }
  KernelSource source(const Config& config) const {
    return family.source(problem, config, target());
  }
  std::shared_ptr<const Plan> plan(const Config& config) const {
    return std::make_shared<const Plan>(family.plan(problem, config, target()));
  }
};

}  // namespace kiln::tuner
