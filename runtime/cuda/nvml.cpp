#include "runtime/cuda/nvml.h"

#include <array>

#include "runtime/gpu/driver_library.h"

namespace kiln::runtime {
namespace {

constexpr std::array kLibraries = {"libnvidia-ml.so.1", "libnvidia-ml.so"};

// nvmlClockType_t
enum Clock : int { kMultiprocessors = 1, kMemory = 2 };

struct MemoryFacts {  // nvmlMemory_t
  unsigned long long total, free, used;
};

}  // namespace

std::unique_ptr<Nvml> Nvml::open(const std::string& bus) {
  const auto library = DriverLibrary::open(kLibraries, "");
  if (!library.ok()) return nullptr;
  int (*initialise)() = nullptr;
  int (*find)(const char*, void**) = nullptr;
  std::unique_ptr<Nvml> nvml(new Nvml);
  const bool complete = library->find("nvmlInit_v2", initialise).ok() &&
                        library->find("nvmlDeviceGetHandleByPciBusId_v2", find).ok() &&
                        library->find("nvmlDeviceGetClockInfo", nvml->clock_).ok() &&
                        library->find("nvmlDeviceGetMaxClockInfo", nvml->most_clock_).ok() &&
                        library->find("nvmlDeviceGetMemoryInfo", nvml->memory_).ok();
  if (!complete || initialise() != 0 || find(bus.c_str(), &nvml->device_) != 0) return nullptr;
  return nvml;
}

std::optional<GpuConditions> Nvml::conditions() const {
  unsigned clock = 0, most = 0, memory = 0;
  MemoryFacts facts{};
  if (clock_(device_, kMultiprocessors, &clock) != 0 ||
      most_clock_(device_, kMultiprocessors, &most) != 0 ||
      clock_(device_, kMemory, &memory) != 0 || memory_(device_, &facts) != 0) {
    return std::nullopt;
  }
  return GpuConditions{.clock_mhz = double(clock),
                       .most_clock_mhz = double(most),
                       .memory_clock_mhz = double(memory),
                       .memory_used_bytes = double(facts.used)};
}

}  // namespace kiln::runtime
