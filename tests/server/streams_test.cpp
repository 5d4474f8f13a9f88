// Streams and waits: they end when the work, the client or the daemon ends.

#include <grpcpp/grpcpp.h>

#include "proto/status.h"
#include "tests/server/many_clients.h"
#include "tests/support/running_daemon.h"

namespace kiln {
namespace {

using testing::eventually;
using testing::RunningDaemon;
using testing::served_at_once;

int64_t create_job(v1::Kiln::Stub& stub) {
  v1::CreateJobRequest request;
  *request.mutable_problem() = RunningDaemon::problem(1000);
  grpc::ClientContext context;
  v1::Job job;
  REQUIRE(stub.CreateJob(&context, request, &job).ok());
  return job.id();
}

v1::WatchJobRequest watch(int64_t id) {
  v1::WatchJobRequest request;
  request.set_id(id);
  return request;
}

TEST_CASE("a watched job shows its state now, its changes, and ends after the final one") {
  RunningDaemon running;
  const auto stub = running.stub();
  const int64_t id = create_job(*stub);
  grpc::ClientContext context;
  const auto reader = stub->WatchJob(&context, watch(id));
  v1::Job job;
  REQUIRE(reader->Read(&job));
  CHECK(job.state() == v1::Job::STATE_QUEUED);
  running.engine().set_job(id, db::JobState::kRunning, 3);
  REQUIRE(reader->Read(&job));
  CHECK(job.progress().measured() == 3);
  REQUIRE(job.progress().rejected_size() == 1);
  CHECK(job.progress().rejected(0).verdict() == v1::VERDICT_CRASHED);
  running.engine().set_job(id, db::JobState::kSucceeded, 4);
  REQUIRE(reader->Read(&job));
  CHECK(job.state() == v1::Job::STATE_SUCCEEDED);
  CHECK_FALSE(reader->Read(&job));
  CHECK(reader->Finish().ok());
  eventually([&] { return running.engine().watchers() == 0; });
}

TEST_CASE("watching a finished job shows it once, an unknown one is NOT_FOUND") {
  RunningDaemon running;
  const auto stub = running.stub();
  const int64_t id = create_job(*stub);
  running.engine().set_job(id, db::JobState::kFailed);
  {
    grpc::ClientContext context;
    const auto reader = stub->WatchJob(&context, watch(id));
    v1::Job job;
    REQUIRE(reader->Read(&job));
    CHECK(job.state() == v1::Job::STATE_FAILED);
    CHECK_FALSE(reader->Read(&job));
    CHECK(reader->Finish().ok());
  }
  grpc::ClientContext context;
  const auto reader = stub->WatchJob(&context, watch(77));
  v1::Job job;
  CHECK_FALSE(reader->Read(&job));
  CHECK(reader->Finish().error_code() == grpc::StatusCode::NOT_FOUND);
}

TEST_CASE("a slow client skips states but sees the final one") {
  RunningDaemon running;
  const auto stub = running.stub();
  const int64_t id = create_job(*stub);
  grpc::ClientContext context;
  const auto reader = stub->WatchJob(&context, watch(id));
  eventually([&] { return running.engine().watchers() == 1; });
  constexpr int kChanges = 20'000;
  for (int i = 0; i < kChanges; ++i) {
    running.engine().set_job(id, db::JobState::kRunning, i);
  }
  running.engine().set_job(id, db::JobState::kSucceeded, kChanges);
  v1::Job job;
  while (reader->Read(&job)) {
  }
  CHECK(reader->Finish().ok());
  CHECK(job.state() == v1::Job::STATE_SUCCEEDED);
  CHECK(job.progress().measured() == kChanges);
}

TEST_CASE("a client that vanishes while streaming leaves nothing behind and the job goes on") {
  RunningDaemon running;
  const auto stub = running.stub();
  const int64_t id = create_job(*stub);
  {
    const auto lonely = v1::Kiln::NewStub(running.channel());
    grpc::ClientContext context;
    const auto reader = lonely->WatchJob(&context, watch(id));
    v1::Job job;
    REQUIRE(reader->Read(&job));
    CHECK(running.engine().watchers() == 1);
    context.TryCancel();
    CHECK(reader->Finish().error_code() == grpc::StatusCode::CANCELLED);
  }
  eventually([&] { return running.engine().watchers() == 0; });
  running.engine().set_job(id, db::JobState::kRunning, 1);
  CHECK(running.engine().job(id)->row.state == db::JobState::kRunning);
}

TEST_CASE("a wait ends when its client goes away") {
  RunningDaemon running;
  v1::GetKernelRequest request;
  *request.mutable_problem() = RunningDaemon::problem(1000);
  request.mutable_policy()->set_wait(v1::Policy::WAIT_UNTIL_TUNED);
  grpc::ClientContext context;
  std::thread caller([&] {
    v1::GetKernelResponse response;
    running.stub()->GetKernel(&context, request, &response);
  });
  eventually([&] { return running.engine().waiting() == 1; });
  context.TryCancel();
  caller.join();
  eventually([&] { return running.engine().waiting() == 0; });
}

TEST_CASE("a wait ends before the call's own deadline, with the best known") {
  RunningDaemon running;
  v1::GetKernelRequest request;
  *request.mutable_problem() = RunningDaemon::problem(1000);
  request.mutable_policy()->set_wait(v1::Policy::WAIT_DEADLINE);
  request.mutable_policy()->mutable_deadline()->set_seconds(600);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
  v1::GetKernelResponse response;
  const grpc::Status status = running.stub()->GetKernel(&context, request, &response);
  INFO(status.error_message());
  CHECK(status.ok());
  CHECK(response.provenance().provisional());
}

TEST_CASE("stopping ends streams and waits at once, and jobs are kept") {
  RunningDaemon running;
  const auto stub = running.stub();
  const int64_t id = create_job(*stub);
  grpc::ClientContext context;
  const auto reader = stub->WatchJob(&context, watch(id));
  v1::Job job;
  REQUIRE(reader->Read(&job));
  v1::GetKernelRequest request;
  *request.mutable_problem() = RunningDaemon::problem(1000);
  request.mutable_policy()->set_wait(v1::Policy::WAIT_UNTIL_TUNED);
  grpc::Status waited;
  std::thread caller([&] {
    grpc::ClientContext waiting;
    v1::GetKernelResponse response;
    waited = running.stub()->GetKernel(&waiting, request, &response);
  });
  eventually([&] { return running.engine().waiting() == 1; });

  const auto before = std::chrono::steady_clock::now();
  running.stop();
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(10));
  caller.join();
  CHECK(waited.error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK_FALSE(reader->Read(&job));
  CHECK(reader->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
}

TEST_CASE("200 clients at once are all answered") {
  RunningDaemon running;
  CHECK(served_at_once(200, running.socket(), RunningDaemon::problem(1000)) == 200);
}

}  // namespace
}  // namespace kiln
