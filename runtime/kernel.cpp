#include "runtime/kernel.h"

#include "runtime/dispatch_body.h"
#include "runtime/gpu/driver.h"
#include "runtime/gpu/gpu_kernel.h"
#include "runtime/host/host_kernel.h"

namespace kiln::runtime {

StatusOr<std::shared_ptr<const Kernel>> Kernel::load(const Artifact& artifact, const Plan& plan) {
  if (artifact.target_kind == "host" || artifact.target_kind == "emulator") {
    return HostKernel::load(artifact, plan);
  }
  if (artifact.target_kind == "cuda" || artifact.target_kind == "hip") {
    KILN_ASSIGN_OR_RETURN(GpuDriver * driver, process_gpu_driver(artifact.target_kind));
    return GpuKernel::load(*driver, artifact, plan);
  }
  return invalid_field("artifact.target_kind", artifact.target_kind, "host, emulator, cuda or hip",
                       absl::StatusCode::kFailedPrecondition);
}

int64_t Dispatch::workspace_bytes(int workers) const {
  return body_->workspace_bytes(workers);
}

std::span<const HostTensor> Dispatch::arguments() const {
  return body_->arguments();
}

Status Dispatch::launch(std::span<const Tensor> tensors, void* workspace,
                        ParallelFor& parallel) const {
  return body_->launch(tensors, workspace, parallel);
}

Status Dispatch::enqueue(std::span<const Tensor> tensors, void* workspace, void* stream) const {
  return body_->enqueue(tensors, workspace, stream);
}

}  // namespace kiln::runtime
