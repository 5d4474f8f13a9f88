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
// nothing more works in this process. FAILED_PRECONDITION no context is current in the calling
// thread. INTERNAL everything else, with the driver's words.

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/status.h"
#include "runtime/host/abi.h"
#include "runtime/tensor_map.h"

namespace kiln::runtime {

struct GpuProperties {
  std::string model;         // "NVIDIA H100 80GB HBM3"
  std::string architecture;  // as compilers spell it: "sm_90a", "gfx942"
  int multiprocessors = 0;
  int64_t memory_bytes = 0;
  int64_t scratchpad_bytes = 0;  // most that a block may have
  int64_t l2_bytes = 0;
};

// What a device is like at this moment.
struct GpuConditions {
  double clock_mhz = 0;  // of the multiprocessors
  double most_clock_mhz = 0;
  double memory_clock_mhz = 0;
  double memory_used_bytes = 0;  // by everybody
};

class GpuDriver {
 public:
  using Address = uint64_t;  // of device memory
  using Handle = void*;

  virtual ~GpuDriver() = default;

  virtual std::string version() const = 0;  // "CUDA driver 12.8"
  virtual StatusOr<int> devices() const = 0;
  virtual StatusOr<GpuProperties> properties(int device) const = 0;

  // Makes a device this process's own from here on. Once. Without it, calls work on the context
  // that is current in the calling thread.
  virtual Status use(int device) = 0;
  // Of that device; nullopt where nothing tells.
  virtual std::optional<GpuConditions> conditions() const { return std::nullopt; }

  virtual StatusOr<Address> allocate(int64_t bytes) = 0;
  virtual void free(Address address) = 0;
  virtual Status upload(Address to, const void* from, int64_t bytes) = 0;
  virtual Status download(void* to, Address from, int64_t bytes) = 0;

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
  // Writes a tensor map as this vendor's bulk copies take it. UNIMPLEMENTED where there are none.
  using MapWords = std::array<uint64_t, kKilnMapWords>;
  virtual StatusOr<MapWords> encode(const MappedTensor&) const {
    return absl::UnimplementedError("this vendor's GPUs take no tensor maps");
  }

  // These enqueue on `stream` (null: the device's own) and return.
  virtual Status launch(const Launch& launch, Handle stream) = 0;
  virtual Status fill(Address to, uint8_t byte, int64_t bytes, Handle stream) = 0;
  virtual Status copy(Address to, Address from, int64_t bytes, Handle stream) = 0;

  // Streams, events and graphs last as long as the context.
  virtual StatusOr<Handle> make_stream() = 0;
  // Wait for a stream, and for the device. Faults of kernels show here.
  virtual Status synchronize(Handle stream) = 0;
  virtual Status synchronize() = 0;

  // A moment on the device: when it reaches an event behind everything enqueued before it.
  virtual StatusOr<Handle> make_event() = 0;
  virtual Status record(Handle event, Handle stream) = 0;
  // Waits for `to`. Nanoseconds in steps of about 500.
  virtual StatusOr<double> elapsed_ns(Handle from, Handle to) = 0;

  // What `enqueue` enqueues on `stream`, without running it, to be enqueued as a whole again and
  // again. UNIMPLEMENTED when the driver has no graphs.
  virtual StatusOr<Handle> capture(Handle stream, const std::function<Status()>& enqueue) = 0;
  virtual Status replay(Handle graph, Handle stream) = 0;
  virtual void drop(Handle graph) = 0;
};

// kind: "cuda" or "hip".
StatusOr<std::unique_ptr<GpuDriver>> open_gpu_driver(std::string_view kind);
// The same, opened at the first call that succeeds and kept until the process ends. Thread-safe.
StatusOr<GpuDriver*> process_gpu_driver(std::string_view kind);

}  // namespace kiln::runtime
