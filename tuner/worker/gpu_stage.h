// A GPU as a stage: one context, tensors in its memory, times by its events.
//
// Cold launches follow a write of `flush_bytes`, each between events of its own. Warm ones follow
// each other between two events; where a launch is too short for that, many of them are replayed as
// a graph.

#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/gpu/driver.h"
#include "tuner/memory_file.h"
#include "tuner/worker/device_buffers.h"
#include "tuner/worker/protocol.h"
#include "tuner/worker/stage.h"

namespace kiln::tuner::worker {

class GpuStage final : public Stage {
 public:
  // All outlive it. `fds` as RunFd orders them.
  GpuStage(const RunRequest& request, const std::vector<FileDescriptor>& fds, FaultRecord& record)
      : request_(request), fds_(fds), record_(record) {}

  Status prepare() override;
  Status prepare_workspace(int64_t bytes, bool zero) override;
  // No core files. Drivers need all else.
  Status confine() override;

  Status add_probe(Probe probe, std::shared_ptr<const runtime::Kernel> kernel) override;
  Status prepare_probe(Probe probe) override;
  StatusOr<Sample> probe(Probe probe, int64_t length_ns) override;

  StatusOr<double> launch(const runtime::Dispatch& dispatch, bool without_optional) override;
  Status prepare_timing(bool cold) override;
  StatusOr<Sample> time(const runtime::Dispatch& dispatch, int batch, bool warm_up) override;
  std::optional<runtime::GpuConditions> conditions() const override {
    return driver_->conditions();
  }
  void forget_dispatches() override;

 private:
  using Address = runtime::GpuDriver::Address;
  using Handle = runtime::GpuDriver::Handle;
  static constexpr int kEventPairs = 64;

  struct Arithmetic {
    std::shared_ptr<const runtime::Kernel> kernel;
    double flops = 0;         // of a block and iteration
    int64_t iterations = 16;  // of the last run, adapted to the length asked for
    void* output = nullptr;
  };
  Status enqueue(const runtime::Dispatch& dispatch, std::span<const runtime::Tensor> tensors);
  // Time between two points of the stream; waits for the second. ns, above 0.
  StatusOr<double> time_between(int from, int to);
  StatusOr<double> time_cold(const runtime::Dispatch& dispatch, int batch);
  StatusOr<double> time_warm(const runtime::Dispatch& dispatch, int batch);
  // Captures launches of it, once; where that fails they are enqueued one by one.
  void make_graph(const runtime::Dispatch& dispatch);
  int64_t copied_bytes() const;  // of the copy probe
  StatusOr<double> copy_rate(int64_t length_ns);
  StatusOr<double> arithmetic_rate(Arithmetic& arithmetic, int64_t length_ns);

  const RunRequest& request_;
  const std::vector<FileDescriptor>& fds_;
  FaultRecord& record_;
  runtime::GpuDriver* driver_ = nullptr;
  Handle stream_ = nullptr;
  std::array<Handle, size_t{2} * kEventPairs> events_{};
  std::optional<DeviceBuffers> buffers_;
  void* workspace_ = nullptr;
  std::vector<runtime::Tensor> timed_;
  bool cold_ = false;
  Address flush_ = 0;
  uint8_t flush_byte_ = 0;
  Address copied_ = 0;  // memory of the copy probe
  std::array<Arithmetic, kMaxProbes> arithmetic_{};
  std::map<const runtime::Dispatch*, Handle> graphs_;  // null: it cannot be captured
};

}  // namespace kiln::tuner::worker
