// Every call's round trip.

#include <grpcpp/grpcpp.h>

#include <set>

#include "proto/plan.h"
#include "proto/problem.h"
#include "tests/support/running_daemon.h"

namespace kiln {
namespace {

using testing::RunningDaemon;

// A call of the stub; fails the test unless it succeeds.
template <typename Response, typename Request, typename Method>
Response call(v1::Kiln::Stub& stub, Method method, const Request& request) {
  grpc::ClientContext context;
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  INFO(status.error_message());
  REQUIRE(status.error_code() == grpc::StatusCode::OK);
  return response;
}

TEST_CASE("families are listed and described, with space and default for a problem") {
  RunningDaemon running;
  const auto stub = running.stub();
  const auto list = call<v1::ListFamiliesResponse>(*stub, &v1::Kiln::Stub::ListFamilies,
                                                   v1::ListFamiliesRequest());
  REQUIRE(list.families_size() == 1);
  CHECK(list.families(0).name() == "trial");

  v1::DescribeFamilyRequest request;
  request.set_family("trial");
  auto description =
      call<v1::DescribeFamilyResponse>(*stub, &v1::Kiln::Stub::DescribeFamily, request);
  CHECK_FALSE(description.has_space());
  CHECK(description.cost_convention() == running.engine().trial().cost_convention());
  const StatusOr<Schema> schema = proto::from_message(description.schema());
  REQUIRE(schema.ok());
  const Schema& published = running.engine().trial().schema();
  REQUIRE(schema->fields().size() == published.fields().size());
  for (size_t i = 0; i < published.fields().size(); ++i) {
    CHECK(schema->fields()[i].name == published.fields()[i].name);
    CHECK(schema->expectation(i) == published.expectation(i));
  }

  *request.mutable_problem() = RunningDaemon::problem(1000);
  description = call<v1::DescribeFamilyResponse>(*stub, &v1::Kiln::Stub::DescribeFamily, request);
  CHECK(description.space().size() == 2);
  REQUIRE(description.default_config().entries_size() == 1);
  CHECK(description.default_config().entries(0).label() == "slow");
}

TEST_CASE("devices, garbage collection and diagnosis are answered") {
  RunningDaemon running;
  const auto stub = running.stub();
  const auto devices =
      call<v1::ListDevicesResponse>(*stub, &v1::Kiln::Stub::ListDevices, v1::ListDevicesRequest());
  REQUIRE(devices.devices_size() == 1);
  CHECK(devices.devices(0).name() == "host");
  CHECK(devices.devices(0).can_compile());

  v1::CollectGarbageRequest gc;
  gc.set_artifact_bytes(123);
  const auto report = call<v1::CollectGarbageResponse>(*stub, &v1::Kiln::Stub::CollectGarbage, gc);
  CHECK(report.bytes_removed() == 123);  // the scripted engine echoes the policy
  CHECK(report.measurements_removed() == db::GcPolicy().measurements);

  const auto diagnosis =
      call<v1::DiagnoseResponse>(*stub, &v1::Kiln::Stub::Diagnose, v1::DiagnoseRequest());
  REQUIRE(diagnosis.lines_size() == 1);
  CHECK(diagnosis.lines(0).ok());
}

TEST_CASE("a kernel comes with code, plan and provenance; known code is left out") {
  RunningDaemon running;
  const auto stub = running.stub();
  v1::GetKernelRequest request;
  *request.mutable_problem() = RunningDaemon::problem(1000);
  auto answer = call<v1::GetKernelResponse>(*stub, &v1::Kiln::Stub::GetKernel, request);
  REQUIRE(answer.found());
  CHECK(proto::from_message(answer.artifact()).ok());
  CHECK(proto::from_message(answer.plan()).ok());
  CHECK(proto::text_of(answer.config()) == "behaviour=slow");
  CHECK(answer.provenance().kind() == v1::Provenance::KIND_DEFAULT);
  CHECK(answer.provenance().provisional());
  CHECK(answer.device() == "host");
  CHECK_FALSE(answer.problem_key().empty());

  request.add_known_artifacts(answer.artifact().hash());
  answer = call<v1::GetKernelResponse>(*stub, &v1::Kiln::Stub::GetKernel, request);
  CHECK(answer.artifact().content().empty());
  CHECK(answer.artifact().size() > 0);

  // The same question is answered from memory, until something changes in the engine.
  const int lookups = running.engine().lookups();
  const auto again = call<v1::GetKernelResponse>(*stub, &v1::Kiln::Stub::GetKernel, request);
  CHECK(again.SerializeAsString() == answer.SerializeAsString());
  CHECK(running.engine().lookups() == lookups);
  running.engine().serve(testing::Behaviour::kFast, true);
  answer = call<v1::GetKernelResponse>(*stub, &v1::Kiln::Stub::GetKernel, request);
  CHECK(answer.provenance().kind() == v1::Provenance::KIND_TUNED);
  CHECK_FALSE(answer.artifact().content().empty());

  running.engine().serve_nothing();
  answer = call<v1::GetKernelResponse>(*stub, &v1::Kiln::Stub::GetKernel, request);
  CHECK_FALSE(answer.found());
  CHECK(answer.provenance().job_id() == 5);
}

TEST_CASE("values may be given as text and under aliases") {
  RunningDaemon running;
  const auto stub = running.stub();
  v1::GetKernelRequest request;
  request.mutable_problem()->set_family("trial");
  RunningDaemon::add(*request.mutable_problem(), "n")->set_choice("1000");
  const auto text = call<v1::GetKernelResponse>(*stub, &v1::Kiln::Stub::GetKernel, request);
  *request.mutable_problem() = RunningDaemon::problem(1000);
  const auto number = call<v1::GetKernelResponse>(*stub, &v1::Kiln::Stub::GetKernel, request);
  CHECK(text.problem_key() == number.problem_key());
}

TEST_CASE("jobs are created once a request id, shown, cancelled and listed in pages") {
  RunningDaemon running;
  const auto stub = running.stub();
  v1::CreateJobRequest create;
  *create.mutable_problem() = RunningDaemon::problem(1000);
  create.set_request_id("a");
  const auto job = call<v1::Job>(*stub, &v1::Kiln::Stub::CreateJob, create);
  CHECK(call<v1::Job>(*stub, &v1::Kiln::Stub::CreateJob, create).id() == job.id());
  CHECK(job.state() == v1::Job::STATE_QUEUED);
  CHECK(job.created_at().seconds() == 1'700'000'000);
  CHECK(job.created_at().nanos() == 123'456'789);
  CHECK_FALSE(job.has_finished_at());

  create.clear_request_id();
  for (int i = 0; i < 4; ++i)
    call<v1::Job>(*stub, &v1::Kiln::Stub::CreateJob, create);
  v1::GetJobRequest get;
  get.set_id(job.id());
  CHECK(call<v1::Job>(*stub, &v1::Kiln::Stub::GetJob, get).request_id() == "a");
  v1::CancelJobRequest cancel;
  cancel.set_id(job.id());
  CHECK(call<v1::Job>(*stub, &v1::Kiln::Stub::CancelJob, cancel).state() ==
        v1::Job::STATE_CANCELLED);

  v1::ListJobsRequest list;
  list.set_page_size(2);
  std::set<int64_t> seen;
  int pages = 0;
  do {
    const auto page = call<v1::ListJobsResponse>(*stub, &v1::Kiln::Stub::ListJobs, list);
    for (const v1::Job& row : page.jobs())
      CHECK(seen.insert(row.id()).second);
    list.set_page_token(page.next_page_token());
    ++pages;
  } while (!list.page_token().empty());
  CHECK(seen.size() == 5);
  CHECK(pages == 3);

  list.Clear();
  list.add_states(v1::Job::STATE_CANCELLED);
  CHECK(call<v1::ListJobsResponse>(*stub, &v1::Kiln::Stub::ListJobs, list).jobs_size() == 1);
}

TEST_CASE("winners are listed, shown with measurements, exported in chunks and deleted") {
  RunningDaemon running;
  const auto stub = running.stub();
  running.engine().add_winner(running.engine().trial().problem(1000, 2.0, 0));
  running.engine().add_winner(running.engine().trial().problem(1000, 2.0, 1));

  v1::ListWinnersRequest list;
  CHECK(call<v1::ListWinnersResponse>(*stub, &v1::Kiln::Stub::ListWinners, list).winners_size() ==
        2);
  *list.mutable_filter()->mutable_problem() = RunningDaemon::problem(5000, 1);
  const auto served = call<v1::ListWinnersResponse>(*stub, &v1::Kiln::Stub::ListWinners, list);
  REQUIRE(served.winners_size() == 1);
  const v1::Winner& winner = served.winners(0);
  CHECK(winner.id() == 2);
  CHECK(winner.stale());
  CHECK(winner.cost().bytes() ==
        running.engine().trial().cost(running.engine().trial().problem(1000)).bytes);

  v1::GetWinnerRequest get;
  get.set_id(2);
  get.set_with_measurements(true);
  const auto shown = call<v1::GetWinnerResponse>(*stub, &v1::Kiln::Stub::GetWinner, get);
  CHECK(shown.plan().buffers_size() > 0);
  REQUIRE(shown.measurements_size() == 1);
  CHECK(shown.measurements(0).id() == 31);

  grpc::ClientContext context;
  const auto reader = stub->ExportWinners(&context, v1::ExportWinnersRequest());
  v1::ExportWinnersResponse chunk;
  size_t bytes = 0;
  int chunks = 0;
  for (; reader->Read(&chunk); ++chunks)
    bytes += chunk.chunk().size();
  CHECK(reader->Finish().ok());
  CHECK(bytes == 1'000'000);
  CHECK(chunks > 1);

  grpc::ClientContext importing;
  v1::ImportMeasurementsResponse imported;
  const auto writer = stub->ImportMeasurements(&importing, &imported);
  v1::ImportMeasurementsRequest part;
  part.set_chunk(std::string(100'000, 'x'));
  for (int i = 0; i < 3; ++i)
    CHECK(writer->Write(part));
  writer->WritesDone();
  CHECK(writer->Finish().ok());
  CHECK(imported.added() == 300'000);
  CHECK(imported.known() == 1);
  CHECK(imported.fingerprints(0) == "a");

  v1::DeleteWinnerRequest remove;
  remove.set_id(2);
  call<v1::DeleteWinnerResponse>(*stub, &v1::Kiln::Stub::DeleteWinner, remove);
  CHECK(running.engine().winner(2).status().code() == absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace kiln
