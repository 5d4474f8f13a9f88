#include "client/tunectl/api.h"

#include <grpcpp/client_context.h>

#include "client/tunectl/connection.h"
#include "client/tunectl/failure.h"
#include "proto/status.h"

namespace kiln::tunectl {
namespace {

using Service = v1::Kiln::StubInterface;

constexpr int kPageSize = 500;
constexpr size_t kImportChunk = 256 << 10;
constexpr absl::Duration kImportTimeout = absl::Minutes(10);
constexpr absl::Duration kCleaningTimeout = absl::Minutes(10);

void set_timeout(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
}

Status status_of(const grpc::Status& status, bool interrupted, bool embedded) {
  if (status.ok()) return absl::OkStatus();
  if (interrupted) return failure(ExitCode::kInterrupted, "interrupted");
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && !embedded) {
    return failure(ExitCode::kNoDaemon,
                   "the connection to the daemon was lost: " + status.error_message(),
                   "look at kilnd's log, and start it again; its jobs go on where they stopped");
  }
  return proto::from_grpc(status);
}

}  // namespace

Api::Api(Connect connect, std::stop_token stopped, bool embedded)
    : connect_(std::move(connect)), stopped_(std::move(stopped)), embedded_(embedded) {}

Api::~Api() = default;

Status Api::connect() {
  if (connection_ != nullptr) return absl::OkStatus();
  KILN_ASSIGN_OR_RETURN(connection_, connect_());
  return absl::OkStatus();
}

template <class Request, class Response, class Method>
StatusOr<Response> Api::call(Method method, const Request& request, absl::Duration timeout) {
  KILN_RETURN_IF_ERROR(connect());
  grpc::ClientContext context;
  set_timeout(context, timeout);
  const std::stop_callback cancel(stopped_, [&context] { context.TryCancel(); });
  Response response;
  const grpc::Status status = (connection_->service().*method)(&context, request, &response);
  KILN_RETURN_IF_ERROR(status_of(status, stopped_.stop_requested(), embedded_));
  return response;
}

StatusOr<v1::ListFamiliesResponse> Api::list_families() {
  return call<v1::ListFamiliesRequest, v1::ListFamiliesResponse>(&Service::ListFamilies, {});
}

StatusOr<v1::DescribeFamilyResponse> Api::describe_family(
    const v1::DescribeFamilyRequest& request) {
  return call<v1::DescribeFamilyRequest, v1::DescribeFamilyResponse>(&Service::DescribeFamily,
                                                                     request);
}

StatusOr<v1::ListDevicesResponse> Api::list_devices(bool measure_peaks) {
  v1::ListDevicesRequest request;
  request.set_measure_peaks(measure_peaks);
  return call<v1::ListDevicesRequest, v1::ListDevicesResponse>(&Service::ListDevices, request);
}

StatusOr<v1::GetKernelResponse> Api::get_kernel(const v1::GetKernelRequest& request,
                                                absl::Duration timeout) {
  return call<v1::GetKernelRequest, v1::GetKernelResponse>(&Service::GetKernel, request, timeout);
}

StatusOr<v1::Job> Api::create_job(const v1::CreateJobRequest& request) {
  return call<v1::CreateJobRequest, v1::Job>(&Service::CreateJob, request);
}

StatusOr<v1::Job> Api::cancel_job(int64_t id) {
  v1::CancelJobRequest request;
  request.set_id(id);
  return call<v1::CancelJobRequest, v1::Job>(&Service::CancelJob, request);
}

StatusOr<std::vector<v1::Job>> Api::jobs(const std::vector<v1::Job::State>& states) {
  v1::ListJobsRequest request;
  request.set_page_size(kPageSize);
  for (const v1::Job::State state : states)
    request.add_states(state);
  std::vector<v1::Job> jobs;
  do {
    auto response = call<v1::ListJobsRequest, v1::ListJobsResponse>(&Service::ListJobs, request);
    KILN_RETURN_IF_ERROR(response.status());
    for (v1::Job& job : *response->mutable_jobs())
      jobs.push_back(std::move(job));
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty());
  return jobs;
}

Status Api::watch_job(int64_t id, const std::function<void(const v1::Job&)>& observer) {
  KILN_RETURN_IF_ERROR(connect());
  Service& service = connection_->service();
  grpc::ClientContext context;  // no deadline: a job may wait long for its turn
  const std::stop_callback on_stop(stopped_, [&] {
    if (!embedded_) {
      context.TryCancel();
      return;
    }
    grpc::ClientContext cancelling;
    set_timeout(cancelling, kCallTimeout);
    v1::CancelJobRequest request;
    request.set_id(id);
    v1::Job job;
    service.CancelJob(&cancelling, request, &job);  // the watch shows whether it had an effect
  });
  v1::WatchJobRequest request;
  request.set_id(id);
  const auto reader = service.WatchJob(&context, request);
  v1::Job job;
  while (reader->Read(&job))
    observer(job);
  return status_of(reader->Finish(), stopped_.stop_requested(), embedded_);
}

StatusOr<std::vector<v1::Winner>> Api::winners(const v1::WinnerFilter& filter) {
  v1::ListWinnersRequest request;
  *request.mutable_filter() = filter;
  request.set_page_size(kPageSize);
  std::vector<v1::Winner> winners;
  do {
    auto response =
        call<v1::ListWinnersRequest, v1::ListWinnersResponse>(&Service::ListWinners, request);
    KILN_RETURN_IF_ERROR(response.status());
    for (v1::Winner& winner : *response->mutable_winners())
      winners.push_back(std::move(winner));
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty());
  return winners;
}

StatusOr<v1::GetWinnerResponse> Api::winner(int64_t id, bool with_measurements) {
  v1::GetWinnerRequest request;
  request.set_id(id);
  request.set_with_measurements(with_measurements);
  return call<v1::GetWinnerRequest, v1::GetWinnerResponse>(&Service::GetWinner, request);
}

Status Api::delete_winner(int64_t id) {
  v1::DeleteWinnerRequest request;
  request.set_id(id);
  return call<v1::DeleteWinnerRequest, v1::DeleteWinnerResponse>(&Service::DeleteWinner, request)
      .status();
}

StatusOr<std::string> Api::export_winners(const v1::WinnerFilter& filter) {
  KILN_RETURN_IF_ERROR(connect());
  grpc::ClientContext context;
  set_timeout(context, kCallTimeout);
  const std::stop_callback cancel(stopped_, [&context] { context.TryCancel(); });
  v1::ExportWinnersRequest request;
  *request.mutable_filter() = filter;
  const auto reader = connection_->service().ExportWinners(&context, request);
  std::string document;
  v1::ExportWinnersResponse part;
  while (reader->Read(&part))
    document += part.chunk();
  KILN_RETURN_IF_ERROR(status_of(reader->Finish(), stopped_.stop_requested(), embedded_));
  return document;
}

StatusOr<v1::ImportMeasurementsResponse> Api::import_measurements(const std::string& document) {
  KILN_RETURN_IF_ERROR(connect());
  grpc::ClientContext context;
  set_timeout(context, kImportTimeout);
  const std::stop_callback cancel(stopped_, [&context] { context.TryCancel(); });
  v1::ImportMeasurementsResponse response;
  const auto writer = connection_->service().ImportMeasurements(&context, &response);
  v1::ImportMeasurementsRequest part;
  for (size_t at = 0; at < document.size(); at += kImportChunk) {
    part.set_chunk(document.substr(at, kImportChunk));
    if (!writer->Write(part)) break;  // Finish() says why
  }
  writer->WritesDone();
  KILN_RETURN_IF_ERROR(status_of(writer->Finish(), stopped_.stop_requested(), embedded_));
  return response;
}

StatusOr<v1::CollectGarbageResponse> Api::collect_garbage(
    const v1::CollectGarbageRequest& request) {
  return call<v1::CollectGarbageRequest, v1::CollectGarbageResponse>(&Service::CollectGarbage,
                                                                     request, kCleaningTimeout);
}

StatusOr<v1::DiagnoseResponse> Api::diagnose() {
  return call<v1::DiagnoseRequest, v1::DiagnoseResponse>(&Service::Diagnose, {});
}

}  // namespace kiln::tunectl
