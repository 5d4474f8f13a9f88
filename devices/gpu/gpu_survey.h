// What there is of a vendor's GPUs on this machine, asked of its driver in a process that may die.

#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "runtime/gpu/driver.h"

namespace kiln::devices {

struct GpuSurvey {
  std::string driver;                           // "CUDA driver 12.8"
  std::vector<runtime::GpuProperties> devices;  // in the driver's order
};

// kind: "cuda", "hip". UNAVAILABLE says what is missing and how to get it; DEADLINE_EXCEEDED when
// the driver does not answer. Asked anew at each call: about 100 ms with a device.
StatusOr<GpuSurvey> survey_gpus(std::string_view kind,
                                std::chrono::milliseconds patience = std::chrono::seconds(20));

// The survey as text between the two processes.
std::string to_json(const GpuSurvey& survey);
StatusOr<GpuSurvey> survey_from_json(std::string_view text);

}  // namespace kiln::devices
