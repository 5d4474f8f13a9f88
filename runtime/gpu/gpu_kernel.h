// A GPU artifact with its plan: runtime/kernel.h on the context that is current in the calling
// thread when it is loaded and launched.
//
// Tensors and workspace of a launch are addresses in device memory. A launch enqueues its steps on
// the context's default stream and returns; only a plan with a Read or a Scan waits. Faults of a
// kernel show at the next call that waits.

#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/artifact.h"
#include "core/plan.h"
#include "core/status.h"
#include "runtime/checked_plan.h"
#include "runtime/gpu/driver.h"
#include "runtime/kernel.h"

namespace kiln::runtime {

class GpuKernel : public Kernel {
 public:
  // FAILED_PRECONDITION: damaged bytes, or a plan that a GPU cannot run. The driver's errors.
  static StatusOr<std::shared_ptr<const Kernel>> load(GpuDriver& driver, const Artifact& artifact,
                                                      const Plan& plan);
  ~GpuKernel() override;

  StatusOr<Dispatch> prepare(std::span<const int64_t> symbols,
                             std::span<const double> scalars) const override;

  GpuDriver& driver() const { return driver_; }
  const CheckedPlan& checked() const { return checked_; }
  // Entry that a Launch step runs, which may have that much dynamic scratchpad.
  StatusOr<GpuDriver::Handle> entry(const std::string& name, int64_t scratchpad_bytes) const {
    return driver_.entry(module_, name, scratchpad_bytes);
  }

 private:
  GpuKernel(GpuDriver& driver, const Plan& plan, CheckedPlan checked, GpuDriver::Handle module);

  GpuDriver& driver_;
  CheckedPlan checked_;
  GpuDriver::Handle module_;
};

}  // namespace kiln::runtime
