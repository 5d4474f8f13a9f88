// NVIDIA's management library, where it is installed: the clocks and the memory of a device at this
// moment. Absent is fine.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runtime/gpu/driver.h"

namespace kiln::runtime {

class Nvml {
 public:
  // Null when there is no such library, or it knows no such device. `bus`: "0000:3b:00.0".
  static std::unique_ptr<Nvml> open(const std::string& bus);

  // nullopt when it does not answer.
  std::optional<GpuConditions> conditions() const;

 private:
  Nvml() = default;

  void* device_ = nullptr;
  int (*clock_)(void* device, int kind, unsigned* mhz) = nullptr;
  int (*most_clock_)(void* device, int kind, unsigned* mhz) = nullptr;
  int (*memory_)(void* device, void* facts) = nullptr;
};

}  // namespace kiln::runtime
