// A service over the wire whose answers a test writes down: failures that a real engine shows only
// by accident, at a chosen moment.

#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "client/tunectl/connection.h"
#include "kiln/v1/kiln.grpc.pb.h"

namespace kiln::tunectl {

// One family, "attention", with fields batch and tokens. Jobs and winners as written down.
class ScriptedService : public v1::Kiln::Service {
 public:
  ScriptedService();

  std::function<grpc::Status(const v1::GetKernelRequest&, v1::GetKernelResponse&)> get_kernel;
  std::vector<v1::Job> watched;  // what a watch streams
  bool watch_hangs = false;      // behind the last of `watched`, until the client cancels
  grpc::Status watch_end;
  v1::Winner winner;  // with its id; every other id is not found
  std::vector<v1::Measurement> measurements;
  v1::CollectGarbageResponse collected;
  v1::DiagnoseResponse diagnosis;
  std::string imported;  // documents that start with "{" are taken
  std::vector<int64_t> deleted_winners;
  v1::CollectGarbageRequest last_collection;
  std::atomic<int> created_jobs = 0;
  std::atomic<int> cancelled_jobs = 0;

  grpc::Status ListFamilies(grpc::ServerContext*, const v1::ListFamiliesRequest*,
                            v1::ListFamiliesResponse* response) override;
  grpc::Status DescribeFamily(grpc::ServerContext*, const v1::DescribeFamilyRequest* request,
                              v1::DescribeFamilyResponse* response) override;
  grpc::Status GetKernel(grpc::ServerContext*, const v1::GetKernelRequest* request,
                         v1::GetKernelResponse* response) override;
  grpc::Status CreateJob(grpc::ServerContext*, const v1::CreateJobRequest* request,
                         v1::Job* job) override;
  grpc::Status CancelJob(grpc::ServerContext*, const v1::CancelJobRequest* request,
                         v1::Job* job) override;
  grpc::Status WatchJob(grpc::ServerContext* context, const v1::WatchJobRequest* request,
                        grpc::ServerWriter<v1::Job>* writer) override;
  grpc::Status ListWinners(grpc::ServerContext*, const v1::ListWinnersRequest* request,
                           v1::ListWinnersResponse* response) override;
  grpc::Status GetWinner(grpc::ServerContext*, const v1::GetWinnerRequest* request,
                         v1::GetWinnerResponse* response) override;
  grpc::Status ExportWinners(grpc::ServerContext*, const v1::ExportWinnersRequest* request,
                             grpc::ServerWriter<v1::ExportWinnersResponse>* writer) override;
  grpc::Status ImportMeasurements(grpc::ServerContext*,
                                  grpc::ServerReader<v1::ImportMeasurementsRequest>* reader,
                                  v1::ImportMeasurementsResponse* response) override;
  grpc::Status DeleteWinner(grpc::ServerContext*, const v1::DeleteWinnerRequest* request,
                            v1::DeleteWinnerResponse* response) override;
  grpc::Status CollectGarbage(grpc::ServerContext*, const v1::CollectGarbageRequest* request,
                              v1::CollectGarbageResponse* response) override;
  grpc::Status Diagnose(grpc::ServerContext*, const v1::DiagnoseRequest*,
                        v1::DiagnoseResponse* response) override;
};

// `service` behind an in-process channel.
class ScriptedConnection : public Connection {
 public:
  explicit ScriptedConnection(v1::Kiln::Service& service);
  ~ScriptedConnection() override;
  v1::Kiln::StubInterface& service() override { return *stub_; }

 private:
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::Kiln::StubInterface> stub_;
};

}  // namespace kiln::tunectl
