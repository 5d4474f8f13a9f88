#include "runtime/host/host_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/key.h"
#include "runtime/host/host_dispatch.h"
#include "runtime/host/instruction_set.h"

namespace kiln::runtime {
namespace {

Status check_processor(const Artifact& artifact) {
  if (artifact.target_kind == "emulator") {
    if (artifact.architecture == "warp32" || artifact.architecture == "wave64") {
      return absl::OkStatus();
    }
    return invalid_field("artifact.architecture", artifact.architecture, "warp32 or wave64",
                         absl::StatusCode::kFailedPrecondition);
  }
  const std::optional<InstructionSet> set = parse_instruction_set(artifact.architecture);
  if (!set) {
    return invalid_field("artifact.architecture", artifact.architecture,
                         "an instruction set: baseline, avx2, avx512 or avx512bf16",
                         absl::StatusCode::kFailedPrecondition);
  }
  if (!can_run(*set)) {
    return absl::FailedPreconditionError(
        fmt::format("compiled for instruction set {}; this processor runs {} and below",
                    artifact.architecture, name_of(best_instruction_set())));
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<std::shared_ptr<const Kernel>> HostKernel::load(const Artifact& artifact,
                                                         const Plan& plan) {
  KILN_ASSIGN_OR_RETURN(CheckedPlan checked, check_plan(plan));
  KILN_RETURN_IF_ERROR(check_processor(artifact));
  const std::string hash = digest(artifact.bytes);
  if (hash != artifact.hash) {
    return absl::FailedPreconditionError(
        fmt::format("damaged artifact: its bytes have digest {}, it should be {}", hash,
                    printable(artifact.hash, 64)));
  }
  KILN_ASSIGN_OR_RETURN(auto object, SharedObject::load(artifact.bytes, artifact.architecture));
  std::shared_ptr<HostKernel> kernel(new HostKernel(plan, std::move(checked), std::move(object),
                                                    artifact.target_kind == "emulator"));
  KILN_RETURN_IF_ERROR(kernel->bind_entries());
  return kernel;
}

HostKernel::HostKernel(const Plan& plan, CheckedPlan checked, std::unique_ptr<SharedObject> object,
                       bool emulated)
    : Kernel(plan, arguments_of(checked)),
      checked_(std::move(checked)),
      object_(std::move(object)),
      emulated_(emulated) {}

Status HostKernel::bind_entries() {
  const std::span<const KilnHostEntry> entries = object_->entries();
  entry_of_step_.resize(checked_.steps.size());
  for (size_t step = 0; step < checked_.steps.size(); ++step) {
    const auto* launch = std::get_if<CheckedPlan::Launch>(&checked_.steps[step]);
    if (!launch) continue;
    auto found = std::ranges::find(entries, launch->entry,
                                   [](const KilnHostEntry& e) { return std::string_view(e.name); });
    if (found == entries.end()) {
      std::string names;
      for (const KilnHostEntry& entry : entries) {
        names += (names.empty() ? "" : ", ") + printable(entry.name);
      }
      return absl::FailedPreconditionError(fmt::format("the plan launches {}; the artifact has {}",
                                                       printable(launch->entry), names));
    }
    if (found->slots != launch->slots) {
      return absl::FailedPreconditionError(
          fmt::format("the plan gives {} {} argument slots; the artifact takes {}",
                      printable(launch->entry), launch->slots, found->slots));
    }
    entry_of_step_[step] = KilnU32(found - entries.begin());
    scratch_bytes_ = std::max<int64_t>(scratch_bytes_, found->scratch_bytes);
  }
  return absl::OkStatus();
}

StatusOr<Dispatch> HostKernel::prepare(std::span<const int64_t> symbols,
                                       std::span<const double> scalars) const {
  return HostDispatch::make(std::static_pointer_cast<const HostKernel>(shared_from_this()), symbols,
                            scalars);
}

}  // namespace kiln::runtime
