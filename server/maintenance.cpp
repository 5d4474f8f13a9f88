// CollectGarbage, Diagnose.

#include "absl/strings/str_cat.h"
#include "server/answer.h"

namespace kiln::server {
namespace {

Status set_bound(int64_t wanted, const char* field, int64_t& bound) {
  if (wanted < 0) {
    return invalid_field(field, absl::StrCat(wanted), "0 (as configured) or a bound");
  }
  if (wanted > 0) bound = wanted;
  return absl::OkStatus();
}

}  // namespace

grpc::Status Service::CollectGarbage(grpc::ServerContext*, const v1::CollectGarbageRequest* request,
                                     v1::CollectGarbageResponse* response) {
  return answer(*request, [&]() -> Status {
    db::GcPolicy policy;
    {
      std::lock_guard lock(mutex_);
      policy = gc_;
    }
    KILN_RETURN_IF_ERROR(
        set_bound(request->artifact_bytes(), "artifact_bytes", policy.artifact_bytes));
    KILN_RETURN_IF_ERROR(set_bound(request->measurements(), "measurements", policy.measurements));
    KILN_ASSIGN_OR_RETURN(const db::GcReport report, engine_.gc(policy));
    response->set_artifacts_removed(report.artifacts_removed);
    response->set_bytes_removed(report.bytes_removed);
    response->set_measurements_removed(report.measurements_removed);
    response->set_orphans_removed(report.orphans_removed);
    return absl::OkStatus();
  });
}

grpc::Status Service::Diagnose(grpc::ServerContext*, const v1::DiagnoseRequest* request,
                               v1::DiagnoseResponse* response) {
  return answer(*request, [&] {
    for (const engine::Diagnosis& diagnosis : engine_.doctor()) {
      v1::DiagnoseResponse::Line* line = response->add_lines();
      line->set_subject(diagnosis.subject);
      line->set_ok(diagnosis.ok);
      line->set_found(diagnosis.found);
      line->set_remedy(diagnosis.remedy);
    }
    return absl::OkStatus();
  });
}

}  // namespace kiln::server
