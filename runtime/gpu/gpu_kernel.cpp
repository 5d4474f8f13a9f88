#include "runtime/gpu/gpu_kernel.h"

#include <fmt/format.h>

#include <utility>

#include "core/key.h"
#include "runtime/gpu/gpu_dispatch.h"

namespace kiln::runtime {
StatusOr<std::shared_ptr<const Kernel>> GpuKernel::load(GpuDriver& driver, const Artifact& artifact,
                                                        const Plan& plan) {
  KILN_ASSIGN_OR_RETURN(CheckedPlan checked, check_plan(plan));
  for (const CheckedPlan::Buffer& buffer : checked.buffers) {
    if (buffer.declared.kind != Buffer::Kind::kPerWorker) continue;
    return invalid_field("plan.buffers", buffer.declared.name,
                         "no buffers of workers, which a GPU does not have",
                         absl::StatusCode::kFailedPrecondition);
  }
  if (digest(artifact.bytes) != artifact.hash) {
    return absl::FailedPreconditionError("the artifact's bytes are not those of its hash");
  }
  return std::shared_ptr<const Kernel>(
      new GpuKernel(driver, plan, std::move(checked), artifact.bytes));
}

GpuKernel::GpuKernel(GpuDriver& driver, const Plan& plan, CheckedPlan checked, std::string code)
    : Kernel(plan, arguments_of(checked)),
      driver_(driver),
      checked_(std::move(checked)),
      code_(std::move(code)) {}

GpuKernel::~GpuKernel() {
  if (module_ != nullptr) driver_.unload(module_);
}

StatusOr<GpuDriver::Handle> GpuKernel::entry(const std::string& name,
                                             int64_t scratchpad_bytes) const {
  const std::lock_guard lock(mutex_);
  if (module_ == nullptr) {
    KILN_ASSIGN_OR_RETURN(module_, driver_.load(code_));
  }
  return driver_.entry(module_, name, scratchpad_bytes);
}

StatusOr<Dispatch> GpuKernel::prepare(std::span<const int64_t> symbols,
                                      std::span<const double> scalars) const {
  return GpuDispatch::make(std::static_pointer_cast<const GpuKernel>(shared_from_this()), symbols,
                           scalars);
}

}  // namespace kiln::runtime
