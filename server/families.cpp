// ListFamilies, DescribeFamily, ListDevices.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/problem.h"
#include "server/answer.h"
#include "server/convert.h"

namespace kiln::server {

grpc::Status Service::ListFamilies(grpc::ServerContext*, const v1::ListFamiliesRequest* request,
                                   v1::ListFamiliesResponse* response) {
  return answer(*request, [&] {
    for (const Family* family : engine_.families()) {
      v1::ListFamiliesResponse::Family* added = response->add_families();
      added->set_name(family->schema().family());
      added->set_version(family->schema().version());
      added->set_documentation(family->schema().documentation());
    }
    return absl::OkStatus();
  });
}

grpc::Status Service::DescribeFamily(grpc::ServerContext*, const v1::DescribeFamilyRequest* request,
                                     v1::DescribeFamilyResponse* response) {
  return answer(*request, [&] { return describe(*request, *response); });
}

Status Service::describe(const v1::DescribeFamilyRequest& request,
                         v1::DescribeFamilyResponse& response) {
  KILN_ASSIGN_OR_RETURN(const Family* family, engine_.family(request.family()));
  *response.mutable_schema() = proto::to_message(family->schema());
  response.set_cost_convention(family->cost_convention());
  response.set_tolerance_derivation(family->tolerance_derivation());
  if (!request.has_problem()) return absl::OkStatus();

  v1::Problem message = request.problem();
  if (message.family().empty()) message.set_family(request.family());
  if (message.family() != request.family()) {
    return invalid_field("problem.family", message.family(),
                         absl::StrCat("`", request.family(), "`, as in `family`"));
  }
  KILN_ASSIGN_OR_RETURN(const Problem problem, this->problem(message));
  KILN_ASSIGN_OR_RETURN(const engine::DeviceView device, this->device(request.device()));
  KILN_RETURN_IF_ERROR(family->supports(device.target));
  const Space space = family->space(problem, device.target);
  KILN_ASSIGN_OR_RETURN(const auto points, space.enumerate());
  *response.mutable_space() = proto::to_message(space, int64_t(points.size()));
  *response.mutable_default_config() =
      proto::to_message(family->default_config(problem, device.target), space);
  return absl::OkStatus();
}

grpc::Status Service::ListDevices(grpc::ServerContext*, const v1::ListDevicesRequest* request,
                                  v1::ListDevicesResponse* response) {
  return answer(*request, [&] {
    if (request->measure_peaks()) engine_.measure_peaks();
    for (const engine::DeviceView& device : engine_.devices()) {
      *response->add_devices() = to_message(device);
    }
    return absl::OkStatus();
  });
}

StatusOr<engine::DeviceView> Service::device(const std::string& name) {
  std::vector<std::string> known;
  for (engine::DeviceView& device : engine_.devices()) {
    if (device.name == name || device.fingerprint.text() == name ||
        (name.empty() && device.name == "host")) {
      return std::move(device);
    }
    known.push_back(absl::StrCat(device.name, " (", device.fingerprint.text(), ")"));
  }
  return invalid_field("device", name.empty() ? "host" : name,
                       absl::StrCat("a device of this daemon: ", absl::StrJoin(known, ", ")),
                       absl::StatusCode::kFailedPrecondition);
}

}  // namespace kiln::server
