// How a tuning stays out of the way: more urgent callers go first, and background work waits until
// the machine is idle.

#pragma once

#include "core/status.h"
#include "tuner/load_meter.h"
#include "tuner/search_report.h"
#include "tuner/search_task.h"
#include "tuner/spending.h"
#include "tuner/turns.h"

namespace kiln::tuner {

class Courtesy {
 public:
  // All outlive it. `idle_load`: see TunerOptions.
  Courtesy(const SearchTask& task, Turn& turn, double idle_load, SearchReport& report,
           Spending& spending);

  // Between two measurements. The time does not count. CANCELLED when stopped.
  Status wait();

 private:
  const SearchTask& task_;
  Turn& turn_;
  double idle_load_;
  SearchReport& report_;
  Spending& spending_;
  LoadMeter load_;
};

}  // namespace kiln::tuner
