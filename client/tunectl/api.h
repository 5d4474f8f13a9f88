// The calls of kiln.v1.Kiln as commands use them: connected at first use, with deadlines, lists
// fetched page by page, ended early by a stop request.
//
// Failures carry the service's words. A lost connection becomes ExitCode::kNoDaemon, the effect of
// a stop request kInterrupted.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/status.h"
#include "kiln/v1/kiln.pb.h"

namespace kiln::tunectl {

class Connection;

inline constexpr absl::Duration kCallTimeout = absl::Seconds(60);

class Api {
 public:
  using Connect = std::function<StatusOr<std::unique_ptr<Connection>>()>;

  // `embedded`: the service runs in this process and ends with it.
  Api(Connect connect, std::stop_token stopped, bool embedded);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  Status connect();

  StatusOr<v1::ListFamiliesResponse> list_families();
  StatusOr<v1::DescribeFamilyResponse> describe_family(const v1::DescribeFamilyRequest& request);
  StatusOr<v1::ListDevicesResponse> list_devices(bool measure_peaks = false);

  StatusOr<v1::GetKernelResponse> get_kernel(const v1::GetKernelRequest& request,
                                             absl::Duration timeout = kCallTimeout);

  StatusOr<v1::Job> create_job(const v1::CreateJobRequest& request);
  StatusOr<v1::Job> cancel_job(int64_t id);
  StatusOr<std::vector<v1::Job>> jobs(const std::vector<v1::Job::State>& states);
  // Calls `observer` with every state of the job until its last. A stop request ends the watch; an
  // embedded job is cancelled and then watched to its end.
  Status watch_job(int64_t id, const std::function<void(const v1::Job&)>& observer);

  StatusOr<std::vector<v1::Winner>> winners(const v1::WinnerFilter& filter);
  StatusOr<v1::GetWinnerResponse> winner(int64_t id, bool with_measurements);
  Status delete_winner(int64_t id);
  StatusOr<std::string> export_winners(const v1::WinnerFilter& filter);  // the JSON document
  StatusOr<v1::ImportMeasurementsResponse> import_measurements(const std::string& document);

  StatusOr<v1::CollectGarbageResponse> collect_garbage(const v1::CollectGarbageRequest& request);
  StatusOr<v1::DiagnoseResponse> diagnose();

 private:
  template <class Request, class Response, class Method>
  StatusOr<Response> call(Method method, const Request& request,
                          absl::Duration timeout = kCallTimeout);

  const Connect connect_;
  const std::stop_token stopped_;
  const bool embedded_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace kiln::tunectl
