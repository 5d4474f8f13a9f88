// A host artifact with its plan: runtime/kernel.h on this processor. Artifacts of the emulator are
// host artifacts, too; their launches report what the emulator found (runtime/emulator/).

#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/artifact.h"
#include "core/plan.h"
#include "core/status.h"
#include "runtime/checked_plan.h"
#include "runtime/host/shared_object.h"
#include "runtime/kernel.h"

namespace kiln::runtime {

class HostKernel : public Kernel {
 public:
  // FAILED_PRECONDITION: damaged bytes, an instruction set that this processor lacks, another ABI,
  // an entry that is missing or takes other arguments. INVALID_ARGUMENT: the plan.
  static StatusOr<std::shared_ptr<const Kernel>> load(const Artifact& artifact, const Plan& plan);

  StatusOr<Dispatch> prepare(std::span<const int64_t> symbols,
                             std::span<const double> scalars) const override;

  const CheckedPlan& checked() const { return checked_; }
  SharedObject::Blocks blocks() const { return object_->blocks(); }
  // Entry of the artifact that a Launch step runs, by step; unused for other steps.
  KilnU32 entry_of(size_t step) const { return entry_of_step_[step]; }
  // Whether threads of a GPU are emulated; then every launch checks what they do.
  bool emulated() const { return emulated_; }
  // Scratch that each worker brings: the largest of the entries that the plan launches.
  int64_t scratch_bytes() const { return scratch_bytes_; }

 private:
  HostKernel(const Plan& plan, CheckedPlan checked, std::unique_ptr<SharedObject> object,
             bool emulated);
  Status bind_entries();

  CheckedPlan checked_;
  std::unique_ptr<SharedObject> object_;
  std::vector<KilnU32> entry_of_step_;
  int64_t scratch_bytes_ = 0;
  bool emulated_ = false;
};

}  // namespace kiln::runtime
