// A GPU artifact with its plan: runtime/kernel.h on the context that is current in the thread that
// prepares it first. Loading checks the plan and the bytes and needs no context, so that any thread
// may fetch kernels; the driver sees the code when it is prepared.
//
// Tensors and workspace of a launch are addresses in device memory. Faults of a kernel show at the
// next call that waits.

#pragma once

#include <memory>
#include <mutex>
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
  // FAILED_PRECONDITION: damaged bytes, or a plan that a GPU cannot run.
  static StatusOr<std::shared_ptr<const Kernel>> load(GpuDriver& driver, const Artifact& artifact,
                                                      const Plan& plan);
  ~GpuKernel() override;

  StatusOr<Dispatch> prepare(std::span<const int64_t> symbols,
                             std::span<const double> scalars) const override;
  bool runs_on_gpu() const override { return true; }

  GpuDriver& driver() const { return driver_; }
  const CheckedPlan& checked() const { return checked_; }
  // Entry that a Launch step runs, which may have that much dynamic scratchpad. The driver's
  // errors.
  StatusOr<GpuDriver::Handle> entry(const std::string& name, int64_t scratchpad_bytes) const;

 private:
  GpuKernel(GpuDriver& driver, const Plan& plan, CheckedPlan checked, std::string code);

  GpuDriver& driver_;
  CheckedPlan checked_;
  std::string code_;
  mutable std::mutex mutex_;
  mutable GpuDriver::Handle module_ = nullptr;  // once it was prepared; guarded by mutex_
};

}  // namespace kiln::runtime
