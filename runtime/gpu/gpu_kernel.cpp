#include "runtime/gpu/gpu_kernel.h"

#include <fmt/format.h>

#include <utility>

#include "core/key.h"
#include "runtime/gpu/gpu_dispatch.h"

namespace kiln::runtime {
namespace {

std::vector<Buffer> arguments_of(const CheckedPlan& plan) {
  std::vector<Buffer> arguments;
  for (size_t buffer : plan.arguments)
    arguments.push_back(plan.buffers[buffer].declared);
  return arguments;
}

}  // namespace

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
  KILN_ASSIGN_OR_RETURN(const GpuDriver::Handle module, driver.load(artifact.bytes));
  return std::shared_ptr<const Kernel>(new GpuKernel(driver, plan, std::move(checked), module));
}

GpuKernel::GpuKernel(GpuDriver& driver, const Plan& plan, CheckedPlan checked,
                     GpuDriver::Handle module)
    : Kernel(plan, arguments_of(checked)),
      driver_(driver),
      checked_(std::move(checked)),
      module_(module) {}

GpuKernel::~GpuKernel() {
  driver_.unload(module_);
}

StatusOr<Dispatch> GpuKernel::prepare(std::span<const int64_t> symbols,
                                      std::span<const double> scalars) const {
  return GpuDispatch::make(std::static_pointer_cast<const GpuKernel>(shared_from_this()), symbols,
                           scalars);
}

}  // namespace kiln::runtime
