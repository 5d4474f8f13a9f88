// CreateJob, GetJob, ListJobs, CancelJob, WatchJob.

#include "absl/strings/str_cat.h"
#include "server/answer.h"
#include "server/convert.h"
#include "server/page.h"
#include "server/watch_reactor.h"

namespace kiln::server {
namespace {

Status answer_job(StatusOr<engine::JobView> job, v1::Job& response) {
  KILN_RETURN_IF_ERROR(job.status());
  response = to_message(*job);
  return absl::OkStatus();
}

}  // namespace

grpc::Status Service::CreateJob(grpc::ServerContext*, const v1::CreateJobRequest* request,
                                v1::Job* response) {
  return answer(*request, [&]() -> Status {
    KILN_ASSIGN_OR_RETURN(const engine::TuneRequest tune, from_message(*request));
    KILN_ASSIGN_OR_RETURN(const Problem problem, this->problem(request->problem()));
    return answer_job(engine_.tune(problem, tune), *response);
  });
}

grpc::Status Service::GetJob(grpc::ServerContext*, const v1::GetJobRequest* request,
                             v1::Job* response) {
  return answer(*request, [&] { return answer_job(engine_.job(request->id()), *response); });
}

grpc::Status Service::ListJobs(grpc::ServerContext*, const v1::ListJobsRequest* request,
                               v1::ListJobsResponse* response) {
  return answer(*request, [&]() -> Status {
    KILN_ASSIGN_OR_RETURN(const auto states, from_message(request->states()));
    KILN_ASSIGN_OR_RETURN(const db::Page page,
                          page_of(request->page_size(), request->page_token()));
    KILN_ASSIGN_OR_RETURN(const std::vector<engine::JobView> jobs, engine_.jobs(states, page));
    for (const engine::JobView& job : jobs)
      *response->add_jobs() = to_message(job);
    response->set_next_page_token(
        next_page_token(page, jobs.size(), jobs.empty() ? 0 : jobs.back().row.id));
    return absl::OkStatus();
  });
}

grpc::Status Service::CancelJob(grpc::ServerContext*, const v1::CancelJobRequest* request,
                                v1::Job* response) {
  return answer(*request, [&] { return answer_job(engine_.cancel(request->id()), *response); });
}

grpc::ServerWriteReactor<v1::Job>* Service::WatchJob(grpc::CallbackServerContext*,
                                                     const v1::WatchJobRequest* request) {
  auto stream = std::make_shared<WatchReactor>(*this);
  add(stream);
  if (Status status = admit(*request); !status.ok()) {
    stream->end(status);
  } else {
    stream->watch(engine_, request->id());
  }
  // The registry holds the stream until gRPC is done with it.
  return stream.get();
}

}  // namespace kiln::server
