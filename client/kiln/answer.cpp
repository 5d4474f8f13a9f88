#include "client/kiln/answer.h"

#include "client/kiln/policy.h"
#include "proto/plan.h"
#include "proto/problem.h"
#include "proto/provenance.h"

namespace kiln {

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
  KILN_ASSIGN_OR_RETURN(kernel->provenance, proto::from_message(answer.provenance()));
  kernel->config = proto::from_message(answer.config());
  kernel->config_text = proto::text_of(answer.config());
  kernel->artifact_hash = answer.artifact().hash();
  kernel->device = answer.device();
  kernel->fingerprint = answer.fingerprint();
  kernel->flops = answer.cost().flops();
  kernel->bytes = answer.cost().bytes();
  kernel->bandwidth_bound = answer.cost().bandwidth_bound();
  return std::shared_ptr<const ServedKernel>(std::move(kernel));
}

}  // namespace kiln
