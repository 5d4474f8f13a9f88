#include "tests/tunectl/scripted_service.h"

#include <chrono>
#include <thread>

#include "core/schema.h"
#include "proto/problem.h"

namespace kiln::tunectl {
namespace {

constexpr int64_t kJob = 41;

const Schema& schema() {
  static const Schema schema(
      "attention", 1, "Attention.",
      {{.name = "batch", .field_class = FieldClass::kSized, .minimum = 1, .maximum = 1024},
       {.name = "tokens", .field_class = FieldClass::kSized, .minimum = 1, .maximum = 1 << 20},
       {.name = "causal", .type = FieldType::kBoolean, .default_value = Value(false)}},
      {"name"});
  return schema;
}

}  // namespace

ScriptedService::ScriptedService() {
  get_kernel = [](const auto&, auto&) { return grpc::Status::OK; };
  winner.set_id(7);
  winner.set_family("attention");
  winner.set_problem("batch=1 tokens=64 causal=false");
  winner.mutable_measurement()->mutable_timing()->set_median_ns(1.0e6);
  winner.mutable_measurement()->set_verdict(v1::VERDICT_OK);
  winner.mutable_baseline()->mutable_timing()->set_median_ns(1.5e6);
  winner.mutable_baseline()->set_verdict(v1::VERDICT_OK);
  winner.mutable_cost()->set_flops(2e8);
  v1::Job job;
  job.set_id(kJob);
  job.set_state(v1::Job::STATE_RUNNING);
  watched.push_back(job);
  job.set_state(v1::Job::STATE_SUCCEEDED);
  job.set_winner_id(winner.id());
  watched.push_back(job);
}

grpc::Status ScriptedService::ListFamilies(grpc::ServerContext*, const v1::ListFamiliesRequest*,
                                           v1::ListFamiliesResponse* response) {
  auto* family = response->add_families();
  family->set_name(schema().family());
  family->set_documentation("Attention.\x1b[31m");
  return grpc::Status::OK;
}

grpc::Status ScriptedService::DescribeFamily(grpc::ServerContext*,
                                             const v1::DescribeFamilyRequest* request,
                                             v1::DescribeFamilyResponse* response) {
  if (request->family() != schema().family()) {
    return {grpc::StatusCode::NOT_FOUND, "no such family"};
  }
  *response->mutable_schema() = proto::to_message(schema());
  return grpc::Status::OK;
}

grpc::Status ScriptedService::GetKernel(grpc::ServerContext*, const v1::GetKernelRequest* request,
                                        v1::GetKernelResponse* response) {
  return get_kernel(*request, *response);
}

grpc::Status ScriptedService::CreateJob(grpc::ServerContext*, const v1::CreateJobRequest*,
                                        v1::Job* job) {
  ++created_jobs;
  job->set_id(kJob);
  job->set_state(v1::Job::STATE_QUEUED);
  return grpc::Status::OK;
}

grpc::Status ScriptedService::CancelJob(grpc::ServerContext*, const v1::CancelJobRequest* request,
                                        v1::Job* job) {
  ++cancelled_jobs;
  job->set_id(request->id());
  job->set_state(v1::Job::STATE_CANCELLED);
  return grpc::Status::OK;
}

grpc::Status ScriptedService::WatchJob(grpc::ServerContext* context,
                                       const v1::WatchJobRequest* request,
                                       grpc::ServerWriter<v1::Job>* writer) {
  if (request->id() != kJob) return {grpc::StatusCode::NOT_FOUND, "no job"};
  for (const v1::Job& job : watched)
    writer->Write(job);
  while (watch_hangs && cancelled_jobs == 0 && !context->IsCancelled()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (cancelled_jobs > 0) {
    v1::Job job = watched.back();
    job.set_state(v1::Job::STATE_CANCELLED);
    writer->Write(job);
  }
  return watch_end;
}

grpc::Status ScriptedService::ListWinners(grpc::ServerContext*,
                                          const v1::ListWinnersRequest* request,
                                          v1::ListWinnersResponse* response) {
  // Two pages of one winner each.
  *response->add_winners() = winner;
  if (request->page_token().empty()) response->set_next_page_token("next");
  return grpc::Status::OK;
}

grpc::Status ScriptedService::GetWinner(grpc::ServerContext*, const v1::GetWinnerRequest* request,
                                        v1::GetWinnerResponse* response) {
  if (request->id() != winner.id()) return {grpc::StatusCode::NOT_FOUND, "no winner 99"};
  *response->mutable_winner() = winner;
  for (const auto& measurement : measurements)
    *response->add_measurements() = measurement;
  return grpc::Status::OK;
}

grpc::Status ScriptedService::ExportWinners(grpc::ServerContext*, const v1::ExportWinnersRequest*,
                                            grpc::ServerWriter<v1::ExportWinnersResponse>* writer) {
  for (const char* part : {"{\"schema\": ", "\"kiln.export.v1\"}"}) {
    v1::ExportWinnersResponse response;
    response.set_chunk(part);
    writer->Write(response);
  }
  return grpc::Status::OK;
}

grpc::Status ScriptedService::ImportMeasurements(
    grpc::ServerContext*, grpc::ServerReader<v1::ImportMeasurementsRequest>* reader,
    v1::ImportMeasurementsResponse* response) {
  imported.clear();
  v1::ImportMeasurementsRequest part;
  while (reader->Read(&part))
    imported += part.chunk();
  if (!imported.starts_with("{")) return {grpc::StatusCode::INVALID_ARGUMENT, "winners[0]: no"};
  response->set_added(1);
  response->set_known(2);
  return grpc::Status::OK;
}

grpc::Status ScriptedService::DeleteWinner(grpc::ServerContext*,
                                           const v1::DeleteWinnerRequest* request,
                                           v1::DeleteWinnerResponse*) {
  if (request->id() != winner.id()) return {grpc::StatusCode::NOT_FOUND, "no such winner"};
  deleted_winners.push_back(request->id());
  return grpc::Status::OK;
}

grpc::Status ScriptedService::CollectGarbage(grpc::ServerContext*,
                                             const v1::CollectGarbageRequest* request,
                                             v1::CollectGarbageResponse* response) {
  last_collection = *request;
  *response = collected;
  return grpc::Status::OK;
}

grpc::Status ScriptedService::Diagnose(grpc::ServerContext*, const v1::DiagnoseRequest*,
                                       v1::DiagnoseResponse* response) {
  *response = diagnosis;
  return grpc::Status::OK;
}

ScriptedConnection::ScriptedConnection(v1::Kiln::Service& service) {
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  server_ = builder.BuildAndStart();
  stub_ = v1::Kiln::NewStub(server_->InProcessChannel({}));
}

ScriptedConnection::~ScriptedConnection() {
  stub_.reset();
  server_->Shutdown();
  server_->Wait();
}

}  // namespace kiln::tunectl
