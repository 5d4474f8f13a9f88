#include "tuner/resources.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/expression.h"

namespace kiln::tuner {
namespace {

using devices::GpuArchitecture;
using devices::ResourceUse;

StatusOr<int64_t> dynamic_scratchpad(const Plan& plan, const Launch& launch,
                                     const Problem& problem) {
  KILN_ASSIGN_OR_RETURN(const Expression bytes,
                        Expression::parse(launch.scratchpad_bytes, symbol_names(plan)));
  return bytes.evaluate(problem.sizes());
}

Status inspect(const Target& target, const GpuArchitecture& architecture, int64_t max_spill_bytes,
               EntryResources& entry) {
  // A device may have less than others of its architecture's target.
  if (target.scratchpad_bytes > 0 && entry.scratchpad_bytes > target.scratchpad_bytes) {
    return absl::ResourceExhaustedError(
        fmt::format("a block takes {} bytes of scratchpad; this device has at most {}",
                    entry.scratchpad_bytes, target.scratchpad_bytes));
  }
  StatusOr<devices::Occupancy> occupancy =
      devices::occupancy(architecture, {.threads = entry.threads,
                                        .registers = entry.use.registers,
                                        .scratchpad_bytes = entry.scratchpad_bytes});
  if (!occupancy.ok()) return occupancy.status();
  entry.occupancy = *occupancy;
  if (entry.use.spill_bytes <= max_spill_bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      fmt::format("a thread spills {} bytes of registers; the bound is {}", entry.use.spill_bytes,
                  max_spill_bytes));
}

}  // namespace

Resources resources_of(const Target& target, const Plan& plan, const Problem& problem,
                       std::span<const ResourceUse> used, int64_t max_spill_bytes) {
  Resources resources;
  const GpuArchitecture* architecture = devices::find_gpu_architecture(target.architecture);
  if (!architecture) return resources;
  for (const Step& step : plan.steps) {
    const auto* launch = std::get_if<Launch>(&step);
    if (!launch) continue;
    const auto use = std::ranges::find(used, launch->entry, &ResourceUse::entry);
    if (use == used.end()) {
      resources.verdict.Update(absl::FailedPreconditionError(
          fmt::format("the artifact has no entry {}", printable(launch->entry))));
      continue;
    }
    EntryResources entry{.use = *use,
                         .threads = launch->block[0] * launch->block[1] * launch->block[2],
                         .scratchpad_bytes = use->scratchpad_bytes,
                         .occupancy = {}};
    const StatusOr<int64_t> dynamic = dynamic_scratchpad(plan, *launch, problem);
    if (dynamic.ok()) entry.scratchpad_bytes += *dynamic;
    Status verdict = dynamic.status();
    if (verdict.ok()) verdict = inspect(target, *architecture, max_spill_bytes, entry);
    if (!verdict.ok()) resources.verdict.Update(annotate(verdict, launch->entry));
    resources.entries.push_back(std::move(entry));
  }
  return resources;
}

}  // namespace kiln::tuner
