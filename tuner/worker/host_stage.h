// This processor as a stage: tensors between guard pages, launches on a thread pool, few system
// calls.

#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "runtime/host/thread_pool.h"
#include "tuner/memory_file.h"
#include "tuner/worker/child_buffers.h"
#include "tuner/worker/peak_probe.h"
#include "tuner/worker/protocol.h"
#include "tuner/worker/stage.h"

namespace kiln::tuner::worker {

class HostStage final : public Stage {
 public:
  // All outlive it. `fds` as RunFd orders them.
  HostStage(const RunRequest& request, const std::vector<FileDescriptor>& fds, FaultRecord& record)
      : request_(request), fds_(fds), record_(record) {}

  Status prepare() override;
  Status prepare_workspace(int64_t bytes, bool zero) override;
  Status confine() override;

  Status add_probe(Probe probe, std::shared_ptr<const runtime::Kernel> kernel) override;
  Status prepare_probe(Probe probe) override { return probe_->prepare(probe); }
  StatusOr<Sample> probe(Probe probe, int64_t length_ns) override;

  StatusOr<double> launch(const runtime::Dispatch& dispatch, bool without_optional) override;
  Status prepare_timing(bool cold) override;  // there are copies or not: the tuner's choice
  StatusOr<Sample> time(const runtime::Dispatch& dispatch, int batch, bool warm_up) override;

 private:
  // On the next copy of the tensors.
  Status launch_timed(const runtime::Dispatch& dispatch);

  const RunRequest& request_;
  const std::vector<FileDescriptor>& fds_;
  FaultRecord& record_;
  int64_t probe_bytes_ = 0;
  std::unique_ptr<runtime::ThreadPool> pool_;
  std::optional<PeakProbe> probe_;
  ChildBuffers buffers_;
  void* workspace_ = nullptr;
  std::vector<runtime::Tensor> timed_;
  int64_t copy_ = 0;  // that the next timed launch works on
};

}  // namespace kiln::tuner::worker
