// GetKernel.

#include <grpcpp/support/proto_buffer_writer.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "core/key.h"
#include "proto/plan.h"
#include "proto/problem.h"
#include "proto/provenance.h"
#include "server/answer.h"
#include "server/convert.h"

namespace kiln::server {
namespace {

using std::chrono::milliseconds;

// What is kept of a caller's own deadline for the answer's way back.
constexpr milliseconds kAnswerMargin{50};

// A wait must end before the call's deadline: an answer that comes later is lost.
milliseconds within_call(milliseconds wait, const grpc::ServerContextBase& context) {
  const auto left = std::chrono::duration_cast<milliseconds>(context.deadline() -
                                                             std::chrono::system_clock::now());
  return std::clamp(left - kAnswerMargin, milliseconds(1), wait);
}

std::string_view text_of(const grpc::Slice& bytes) {
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

}  // namespace

grpc::ServerUnaryReactor* Service::GetKernel(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* request,
                                             grpc::ByteBuffer* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  // Before the lookup: what changes meanwhile makes the answer one of the past.
  const uint64_t generation = engine_.generation();
  grpc::Slice bytes;
  if (const grpc::Status read = request->DumpToSingleSlice(&bytes); !read.ok()) {
    reactor->Finish(read);
  } else if (auto known = answered_.find(text_of(bytes), generation); known && !draining_) {
    *response = *std::move(known);
    reactor->Finish(grpc::Status::OK);
  } else if (!threads_.start([=, this] {
               reactor->Finish(answer_kernel(*context, bytes, generation, *response));
             })) {
    reactor->Finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "kilnd has too many calls under way"});
  }
  return reactor;
}

grpc::Status Service::answer_kernel(const grpc::ServerContextBase& context,
                                    const grpc::Slice& bytes, uint64_t generation,
                                    grpc::ByteBuffer& response) {
  v1::GetKernelRequest request;
  if (!request.ParseFromArray(bytes.begin(), int(bytes.size()))) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "the bytes of the request are no message"};
  }
  v1::GetKernelResponse found;
  grpc::Status status = answer(request, [&] { return get_kernel(context, request, found); });
  if (!status.ok()) return status;
  bool own = false;
  status = grpc::SerializationTraits<v1::GetKernelResponse>::Serialize(found, &response, &own);
  // A provisional answer to a caller who waits is not what the next one waits for.
  const bool waits = request.policy().wait() > v1::Policy::WAIT_NONE;
  if (status.ok() && found.found() && !(waits && found.provenance().provisional())) {
    answered_.put(text_of(bytes), generation, response);
  }
  return status;
}

Status Service::get_kernel(const grpc::ServerContextBase& context,
                           const v1::GetKernelRequest& request, v1::GetKernelResponse& response) {
  using Wait = engine::Policy::Wait;
  KILN_ASSIGN_OR_RETURN(engine::Policy policy, from_message(request.policy()));
  KILN_ASSIGN_OR_RETURN(const Problem problem, this->problem(request.problem()));
  if (policy.wait == Wait::kDeadline) policy.deadline = within_call(policy.deadline, context);

  const std::optional<WaitingCalls::Seat> seat =
      policy.wait == Wait::kNone ? std::nullopt : waiting_.enter(context);
  if (!seat) policy.wait = Wait::kNone;
  const StatusOr<engine::KernelAnswer> found =
      engine_.get_kernel(problem, request.device().empty() ? "host" : request.device(), policy,
                         seat ? seat->token() : std::stop_token());
  // Ended by drain(), not by its caller.
  if (draining_ && absl::IsCancelled(found.status())) return stopping();
  KILN_RETURN_IF_ERROR(found.status());
  const engine::KernelAnswer& answer = *found;

  response.set_problem_key(absl::BytesToHexString(problem_key(problem)));
  response.set_device(answer.device);
  response.set_fingerprint(answer.fingerprint);
  if (answer.artifact == nullptr) {
    response.mutable_provenance()->set_job_id(answer.provenance.job_id);
    return absl::OkStatus();
  }
  response.set_found(true);
  const bool known = std::find(request.known_artifacts().begin(), request.known_artifacts().end(),
                               answer.artifact->hash) != request.known_artifacts().end();
  proto::fill(*response.mutable_artifact(), *answer.artifact, !known);
  *response.mutable_plan() = proto::to_message(*answer.plan);
  *response.mutable_config() = proto::to_message(answer.config, *answer.space);
  *response.mutable_provenance() = proto::to_message(answer.provenance);
  *response.mutable_cost() = to_message(answer.cost);
  return absl::OkStatus();
}

}  // namespace kiln::server
