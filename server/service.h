// kiln.v1.Kiln over an engine.
//
// Calls are checked (request_check.h), converted, given to the engine and answered; the engine does
// the work. GetKernel, which many ask again and again, is answered from memory by the very thread
// that read the request, and gets a thread of its own when it may block; WatchJob is a reactor, so
// that a stream holds no thread; the other calls are synchronous. One file a group of calls.

#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>

#include "engine/engine.h"
#include "kiln/v1/kiln.grpc.pb.h"
#include "server/answered_kernels.h"
#include "server/call_threads.h"
#include "server/waiting_calls.h"

namespace kiln::server {

struct ServiceOptions {
  size_t max_waiting_calls = 512;  // beyond it GetKernel answers the best known at once
  int max_threads = 2048;          // of GetKernel; beyond it RESOURCE_EXHAUSTED
  db::GcPolicy gc;                 // what CollectGarbage does when the request sets no bound
};

class WatchReactor;

class Service final : public v1::Kiln::WithRawCallbackMethod_GetKernel<
                          v1::Kiln::WithCallbackMethod_WatchJob<v1::Kiln::Service>> {
 public:
  // `engine` outlives the service.
  Service(engine::Engine& engine, const ServiceOptions& options);
  ~Service() override;

  // Ends waits and streams with UNAVAILABLE; calls that come later are refused. Thread-safe.
  void drain();

  void set_gc(const db::GcPolicy& gc);

  grpc::Status ListFamilies(grpc::ServerContext* context, const v1::ListFamiliesRequest* request,
                            v1::ListFamiliesResponse* response) override;
  grpc::Status DescribeFamily(grpc::ServerContext* context,
                              const v1::DescribeFamilyRequest* request,
                              v1::DescribeFamilyResponse* response) override;
  grpc::Status ListDevices(grpc::ServerContext* context, const v1::ListDevicesRequest* request,
                           v1::ListDevicesResponse* response) override;

  grpc::ServerUnaryReactor* GetKernel(grpc::CallbackServerContext* context,
                                      const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;

  grpc::Status CreateJob(grpc::ServerContext* context, const v1::CreateJobRequest* request,
                         v1::Job* response) override;
  grpc::Status GetJob(grpc::ServerContext* context, const v1::GetJobRequest* request,
                      v1::Job* response) override;
  grpc::Status ListJobs(grpc::ServerContext* context, const v1::ListJobsRequest* request,
                        v1::ListJobsResponse* response) override;
  grpc::Status CancelJob(grpc::ServerContext* context, const v1::CancelJobRequest* request,
                         v1::Job* response) override;
  grpc::ServerWriteReactor<v1::Job>* WatchJob(grpc::CallbackServerContext* context,
                                              const v1::WatchJobRequest* request) override;

  grpc::Status ListWinners(grpc::ServerContext* context, const v1::ListWinnersRequest* request,
                           v1::ListWinnersResponse* response) override;
  grpc::Status GetWinner(grpc::ServerContext* context, const v1::GetWinnerRequest* request,
                         v1::GetWinnerResponse* response) override;
  grpc::Status DeleteWinner(grpc::ServerContext* context, const v1::DeleteWinnerRequest* request,
                            v1::DeleteWinnerResponse* response) override;
  grpc::Status ExportWinners(grpc::ServerContext* context, const v1::ExportWinnersRequest* request,
                             grpc::ServerWriter<v1::ExportWinnersResponse>* writer) override;
  grpc::Status ImportMeasurements(grpc::ServerContext* context,
                                  grpc::ServerReader<v1::ImportMeasurementsRequest>* reader,
                                  v1::ImportMeasurementsResponse* response) override;

  grpc::Status CollectGarbage(grpc::ServerContext* context,
                              const v1::CollectGarbageRequest* request,
                              v1::CollectGarbageResponse* response) override;
  grpc::Status Diagnose(grpc::ServerContext* context, const v1::DiagnoseRequest* request,
                        v1::DiagnoseResponse* response) override;

 private:
  friend class WatchReactor;

  // Every call's frame: refuses while draining, checks the request, turns a failure into gRPC's.
  template <typename Request, typename Call>
  grpc::Status answer(const Request& request, Call call);
  static Status stopping();  // what callers are told while draining
  Status admit(const google::protobuf::Message& request) const;

  StatusOr<Problem> problem(const v1::Problem& message) const;
  StatusOr<engine::DeviceView> device(const std::string& name);
  StatusOr<db::WinnerFilter> filter(const v1::WinnerFilter& message) const;
  v1::Winner winner_message(const db::WinnerRow& row) const;

  Status describe(const v1::DescribeFamilyRequest& request, v1::DescribeFamilyResponse& response);
  grpc::Status answer_kernel(const grpc::ServerContextBase& context, const grpc::Slice& bytes,
                             uint64_t generation, grpc::ByteBuffer& response);
  Status get_kernel(const grpc::ServerContextBase& context, const v1::GetKernelRequest& request,
                    v1::GetKernelResponse& response);

  void add(std::shared_ptr<WatchReactor> stream);
  void remove(const std::shared_ptr<WatchReactor>& stream);

  engine::Engine& engine_;
  WaitingCalls waiting_;
  AnsweredKernels answered_;
  std::atomic<bool> draining_ = false;
  mutable std::mutex mutex_;  // guards what follows
  db::GcPolicy gc_;
  std::set<std::shared_ptr<WatchReactor>> streams_;
  CallThreads threads_;  // last: its calls use the others
};

}  // namespace kiln::server
