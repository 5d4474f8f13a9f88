#include "client/kiln/answer.h"

#include "absl/strings/str_cat.h"
#include "client/kiln/policy.h"
#include "proto/measurement.h"
#include "proto/plan.h"
#include "proto/problem.h"

namespace kiln {
namespace {

StatusOr<Provenance> from_message(const v1::Provenance& message) {
  if (message.kind() < v1::Provenance::KIND_TUNED ||
      message.kind() > v1::Provenance::KIND_DEFAULT) {
    return invalid_field("provenance.kind", absl::StrCat(int(message.kind())),
                         "a kind of this version");
  }
  Provenance provenance;
  provenance.kind = Provenance::Kind(message.kind() - 1);
  provenance.provisional = message.provisional();
  provenance.stale = message.stale();
  provenance.winner_id = message.winner_id();
  provenance.tuned_problem = message.tuned_problem();
  if (message.has_measurement()) {
    KILN_ASSIGN_OR_RETURN(provenance.measurement, proto::from_message(message.measurement()));
  }
  if (message.has_baseline()) {
    KILN_ASSIGN_OR_RETURN(provenance.baseline, proto::from_message(message.baseline()));
  }
  provenance.job_id = message.job_id();
  return provenance;
}

}  // namespace

v1::Policy to_message(const Policy& policy) {
  v1::Policy message;
  message.set_wait(v1::Policy::Wait(int(policy.wait) + 1));
  message.mutable_deadline()->set_seconds(policy.deadline.count() / 1000);
  message.mutable_deadline()->set_nanos(int32_t(policy.deadline.count() % 1000) * 1'000'000);
  message.set_stand_in(v1::Policy::StandIn(int(policy.stand_in) + 1));
  message.set_frozen(policy.frozen);
  message.set_exact(policy.exact);
  message.set_pinned_winner(policy.pinned_winner);
  return message;
}

StatusOr<std::shared_ptr<const ServedKernel>> served_kernel(
    const v1::GetKernelResponse& answer, std::shared_ptr<const runtime::Kernel> code) {
  auto kernel = std::make_shared<ServedKernel>();
  KILN_ASSIGN_OR_RETURN(const Plan plan, proto::from_message(answer.plan()));
  if (code == nullptr || !(code->plan() == plan)) {
    KILN_ASSIGN_OR_RETURN(const Artifact artifact, proto::from_message(answer.artifact()));
    KILN_ASSIGN_OR_RETURN(code, runtime::Kernel::load(artifact, plan));
  }
  kernel->code = std::move(code);
  KILN_ASSIGN_OR_RETURN(kernel->provenance, from_message(answer.provenance()));
  kernel->config = proto::from_message(answer.config());
  kernel->artifact_hash = answer.artifact().hash();
  kernel->device = answer.device();
  kernel->fingerprint = answer.fingerprint();
  kernel->flops = answer.cost().flops();
  kernel->bytes = answer.cost().bytes();
  kernel->bandwidth_bound = answer.cost().bandwidth_bound();
  return std::shared_ptr<const ServedKernel>(std::move(kernel));
}

}  // namespace kiln
