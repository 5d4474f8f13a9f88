#include "proto/status.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace kiln::proto {
namespace {

constexpr char kInvalidField[] = "INVALID_FIELD";
constexpr char kValueKey[] = "value";
// HTTP/2 metadata is limited to 8 KiB in all; the message travels twice (also in the details).
constexpr size_t kMaxMessage = 2048;

}  // namespace

grpc::Status to_grpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string message(status.message());
  if (message.size() > kMaxMessage) {
    message.resize(kMaxMessage);
    message += " …";
  }
  google::rpc::Status rpc;
  rpc.set_code(int(status.code()));
  rpc.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_domain(kErrorDomain);
  info.set_reason(absl::StatusCodeToString(status.code()));
  if (const std::optional<FieldViolation> violation = field_violation(status)) {
    info.set_reason(kInvalidField);
    (*info.mutable_metadata())[kValueKey] = printable(violation->value);
    google::rpc::BadRequest request;
    google::rpc::BadRequest::FieldViolation* entry = request.add_field_violations();
    entry->set_field(printable(violation->field));
    entry->set_description(violation->expected.substr(0, kMaxMessage));
    rpc.add_details()->PackFrom(request);
  }
  rpc.add_details()->PackFrom(info);
  return grpc::Status(grpc::StatusCode(int(status.code())), message, rpc.SerializeAsString());
}

Status from_grpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  Status result(absl::StatusCode(int(status.error_code())), status.error_message());
  google::rpc::Status rpc;
  if (status.error_details().empty() || !rpc.ParseFromString(status.error_details())) {
    return result;
  }
  google::rpc::BadRequest request;
  google::rpc::ErrorInfo info;
  for (const google::protobuf::Any& detail : rpc.details()) {
    if (detail.Is<google::rpc::BadRequest>()) detail.UnpackTo(&request);
    if (detail.Is<google::rpc::ErrorInfo>()) detail.UnpackTo(&info);
  }
  if (request.field_violations_size() == 0) return result;
  const google::rpc::BadRequest::FieldViolation& entry = request.field_violations(0);
  const auto value = info.metadata().find(kValueKey);
  const Status violation =
      invalid_field(entry.field(), value == info.metadata().end() ? std::string() : value->second,
                    entry.description(), result.code());
  violation.ForEachPayload(
      [&](absl::string_view type, const absl::Cord& payload) { result.SetPayload(type, payload); });
  return result;
}

}  // namespace kiln::proto
