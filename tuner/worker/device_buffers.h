// The tensors of a request in a GPU's memory.
//
// For verification every tensor lies between zones of marked bytes, aligned no better than
// promised; inputs are brought once and compared after every launch. For timing there is a second
// set, aligned as an allocator aligns.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "core/tensor.h"
#include "runtime/gpu/driver.h"
#include "runtime/kernel.h"
#include "tuner/worker/child_buffers.h"
#include "tuner/worker/protocol.h"

namespace kiln::tuner::worker {

class DeviceBuffers {
 public:
  // `inputs` and `outputs`: the request's files. All others outlive it. RESOURCE_EXHAUSTED when the
  // device has no room.
  static StatusOr<DeviceBuffers> make(runtime::GpuDriver& driver, runtime::GpuDriver::Handle stream,
                                      const RunRequest& request, int inputs, int outputs);

  // Outputs as the tuner left them go to the device.
  Status bring();
  // Arguments of a launch on them.
  std::vector<runtime::Tensor> guarded(bool without_optional) const;
  // Outputs come back, for the tuner to see. DATA_LOSS: what a launch wrote besides them, by the
  // names of `arguments`.
  Status fetch(std::span<const HostTensor> arguments);

  // Arguments of launches that are timed; made at the first call.
  StatusOr<std::vector<runtime::Tensor>> timed();

  // Memory of `bytes` between marked zones; zero, or else NaN to all types. Null for none. In place
  // of the one before.
  StatusOr<void*> make_workspace(int64_t bytes, bool zero);

 private:
  using Address = runtime::GpuDriver::Address;
  // `bytes` of content between two zones.
  struct Region {
    Address begin = 0;  // of the zone before it
    int64_t bytes = 0;
    Address content() const;
  };

  StatusOr<Region> allocate(int64_t bytes);
  // The changed mark nearest to the content, before it or behind it; how far, 1 is beside it.
  struct Stray {
    bool before = false;
    int64_t bytes = 0;  // 0: none
  };
  StatusOr<Stray> find_stray(const Region& region);
  // `lead` and `tail`: of the content, around what `name` means.
  Status check_zones(const Region& region, std::string_view name, int64_t lead, int64_t tail);
  Status check_input(int tensor, std::string_view name);
  // Where a tensor's region lies in the shared files.
  char* shared(int tensor) const;
  Address address(int tensor) const;

  runtime::GpuDriver* driver_ = nullptr;
  runtime::GpuDriver::Handle stream_ = nullptr;
  const RunRequest* request_ = nullptr;
  ChildBuffers host_;
  std::vector<char*> host_data_;
  std::vector<Region> regions_;  // by tensor
  std::vector<runtime::Tensor> timed_;
  Region workspace_;
  std::vector<char> scratch_;
};

}  // namespace kiln::tuner::worker
