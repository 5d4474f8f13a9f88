// A GPU vendor's driver, opened at run time: one build runs on machines with it and without.
//
//     KILN_ASSIGN_OR_RETURN(auto driver, open_gpu_driver("cuda"));
//     KILN_ASSIGN_OR_RETURN(auto properties, driver->properties(0));
//     KILN_RETURN_IF_ERROR(driver->use(0));
//
// NVIDIA's libcuda and AMD's libamdhip64 differ in names; what they do is the same. A driver may
// hang, abort or take the process with it: call it only in a process that may die, and never fork
// after use(). Not thread-safe beyond what the vendor promises: one thread a context.
//
// Errors: UNAVAILABLE says which library, function or device is missing and how to get it;
// RESOURCE_EXHAUSTED out of memory; ABORTED the device is lost, or a kernel did what it must not:
// nothing more works in this process. INTERNAL everything else, with the driver's words.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/status.h"

namespace kiln::runtime {

struct GpuProperties {
  std::string model;         // "NVIDIA H100 80GB HBM3"
  std::string architecture;  // as compilers spell it: "sm_90a", "gfx942"
  int multiprocessors = 0;
  int64_t memory_bytes = 0;
  int64_t scratchpad_bytes = 0;  // most that a block may have
  int64_t l2_bytes = 0;
};

class GpuDriver {
 public:
  using Address = uint64_t;  // of device memory
  using Handle = void*;

  virtual ~GpuDriver() = default;

  virtual std::string version() const = 0;  // "CUDA driver 12.8"
  virtual StatusOr<int> devices() const = 0;
  virtual StatusOr<GpuProperties> properties(int device) const = 0;

  // Makes a device this process's own from here on. Once.
  virtual Status use(int device) = 0;

  virtual StatusOr<Address> allocate(int64_t bytes) = 0;
  virtual void free(Address address) = 0;
  virtual Status upload(Address to, const void* from, int64_t bytes) = 0;
  virtual Status download(void* to, Address from, int64_t bytes) = 0;
  virtual Status fill(Address to, uint8_t byte, int64_t bytes) = 0;

  virtual StatusOr<Handle> load(std::string_view artifact) = 0;
  virtual void unload(Handle module) = 0;
  // An entry that may have this much dynamic scratchpad.
  virtual StatusOr<Handle> entry(Handle module, const std::string& name,
                                 int64_t scratchpad_bytes) = 0;

  struct Launch {
    Handle entry = nullptr;
    std::array<unsigned, 3> grid = {1, 1, 1};
    std::array<unsigned, 3> block = {1, 1, 1};
    unsigned scratchpad_bytes = 0;
    const void* parameter = nullptr;  // the one that every entry takes: its slots
  };
  // Enqueues on `stream` (null: the device's own) and returns.
  virtual Status launch(const Launch& launch, Handle stream) = 0;
  virtual Status synchronize() = 0;

  // Nanoseconds of the device's clock since the first call, behind everything enqueued so far.
  virtual StatusOr<int64_t> device_ns() = 0;
};

// kind: "cuda" or "hip".
StatusOr<std::unique_ptr<GpuDriver>> open_gpu_driver(std::string_view kind);

}  // namespace kiln::runtime
