// What a client may send wrongly: each gets its code and the field at fault, and the daemon goes
// on.

#include <grpcpp/grpcpp.h>

#include <cmath>
#include <limits>

#include "proto/status.h"
#include "server/request_check.h"
#include "tests/support/running_daemon.h"

namespace kiln {
namespace {

using testing::RunningDaemon;

struct BadKernelRequest {
  const char* name;
  std::function<void(v1::GetKernelRequest&)> spoil;
  absl::StatusCode code;
  const char* field;     // "": none
  const char* expected;  // part of the message
};

const std::vector<BadKernelRequest>& bad_kernel_requests() {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  using Request = v1::GetKernelRequest;
  const auto first = [](Request& r) -> v1::ProblemField& {
    return *r.mutable_problem()->mutable_fields(0);
  };
  static const std::vector<BadKernelRequest> cases = {
      {"no problem", [](Request& r) { r.clear_problem(); }, absl::StatusCode::kNotFound, "family",
       "trial"},
      {"unknown family", [](Request& r) { r.mutable_problem()->set_family("trail"); },
       absl::StatusCode::kNotFound, "family", "trial"},
      {"family with control characters",
       [](Request& r) { r.mutable_problem()->set_family("../\x1b[31m\n"); },
       absl::StatusCode::kNotFound, "family", "\\"},
      {"unknown field", [=](Request& r) { first(r).set_name("m"); }, kInvalid, "m", "n"},
      {"field twice",
       [](Request& r) { *r.mutable_problem()->add_fields() = r.problem().fields(0); }, kInvalid,
       "n", ""},
      {"missing field", [](Request& r) { r.mutable_problem()->clear_fields(); }, kInvalid, "n", ""},
      {"no value", [=](Request& r) { first(r).clear_value(); }, kInvalid, "n", ""},
      {"wrong type", [=](Request& r) { first(r).mutable_value()->set_boolean(true); }, kInvalid,
       "n", ""},
      {"text that is no number", [=](Request& r) { first(r).mutable_value()->set_choice("many"); },
       kInvalid, "n", ""},
      {"negative", [=](Request& r) { first(r).mutable_value()->set_integer(-1); }, kInvalid, "n",
       ""},
      {"too large",
       [=](Request& r) {
         first(r).mutable_value()->set_integer(std::numeric_limits<int64_t>::max());
       },
       kInvalid, "n", ""},
      {"not finite",
       [](Request& r) {
         RunningDaemon::add(*r.mutable_problem(), "scale")
             ->set_real(std::numeric_limits<double>::quiet_NaN());
       },
       kInvalid, "problem.fields[2].value.real", "finite"},
      {"long name", [=](Request& r) { first(r).set_name(std::string(64 << 10, 'n')); }, kInvalid,
       "problem.fields[0].name", "1024"},
      {"long text",
       [=](Request& r) { first(r).mutable_value()->set_choice(std::string(2000, '1')); }, kInvalid,
       "problem.fields[0].value.choice", "1024"},
      {"too many fields",
       [](Request& r) {
         for (int i = 0; i < 2000; ++i)
           RunningDaemon::add(*r.mutable_problem(), "n");
       },
       kInvalid, "problem.fields", "1024"},
      {"unknown wait", [](Request& r) { r.mutable_policy()->set_wait(v1::Policy::Wait(17)); },
       kInvalid, "policy.wait", "Wait"},
      {"deadline missing",
       [](Request& r) { r.mutable_policy()->set_wait(v1::Policy::WAIT_DEADLINE); }, kInvalid,
       "policy.deadline", "more than 0"},
      {"deadline negative",
       [](Request& r) { r.mutable_policy()->mutable_deadline()->set_seconds(-1); }, kInvalid,
       "policy.deadline", "between 0"},
      {"deadline overflowing",
       [](Request& r) { r.mutable_policy()->mutable_deadline()->set_seconds(INT64_MAX); }, kInvalid,
       "policy.deadline", "between 0"},
      {"frozen and waiting",
       [](Request& r) {
         r.mutable_policy()->set_frozen(true);
         r.mutable_policy()->set_wait(v1::Policy::WAIT_UNTIL_TUNED);
       },
       kInvalid, "policy.wait", "frozen"},
      {"negative pin", [](Request& r) { r.mutable_policy()->set_pinned_winner(-3); }, kInvalid,
       "policy.pinned_winner", "id"},
      {"unknown device", [](Request& r) { r.set_device("cuda:9"); },
       absl::StatusCode::kFailedPrecondition, "device", "host"},
  };
  return cases;
}

TEST_CASE("a bad GetKernel request gets its code and names the field") {
  RunningDaemon running;
  const auto stub = running.stub();
  for (const BadKernelRequest& bad : bad_kernel_requests()) {
    INFO(bad.name);
    v1::GetKernelRequest request;
    *request.mutable_problem() = RunningDaemon::problem(1000);
    bad.spoil(request);
    grpc::ClientContext context;
    v1::GetKernelResponse response;
    const Status status = proto::from_grpc(stub->GetKernel(&context, request, &response));
    INFO(status.ToString());
    CHECK(status.code() == bad.code);
    const std::optional<FieldViolation> violation = field_violation(status);
    REQUIRE(violation);
    CHECK(violation->field == bad.field);
    CHECK_THAT(std::string(status.message()), Catch::Contains(bad.expected));
    CHECK(std::string(status.message()).find('\x1b') == std::string::npos);
  }
  // And goes on.
  v1::GetKernelRequest request;
  *request.mutable_problem() = RunningDaemon::problem(1000);
  grpc::ClientContext context;
  v1::GetKernelResponse response;
  CHECK(stub->GetKernel(&context, request, &response).ok());
}

TEST_CASE("bad budgets, pages and ids name the field") {
  RunningDaemon running;
  const auto stub = running.stub();
  const auto create = [&](const std::function<void(v1::CreateJobRequest&)>& spoil) {
    v1::CreateJobRequest request;
    *request.mutable_problem() = RunningDaemon::problem(1000);
    spoil(request);
    grpc::ClientContext context;
    v1::Job job;
    const Status status = proto::from_grpc(stub->CreateJob(&context, request, &job));
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    return field_violation(status).value_or(FieldViolation{}).field;
  };
  CHECK(create([](auto& r) { r.mutable_budget()->mutable_time()->set_seconds(-5); }) ==
        "budget.time");
  CHECK(create([](auto& r) { r.mutable_budget()->mutable_time(); }) == "budget.time");
  CHECK(create([](auto& r) { r.mutable_budget()->set_evaluations(-5); }) == "budget.evaluations");
  CHECK(create([](auto& r) { r.mutable_budget()->set_peak_fraction(1.5); }) ==
        "budget.peak_fraction");
  CHECK(create([](auto& r) { r.set_cache(v1::CachePolicy(9)); }) == "cache");

  const auto list = [&](int size, const std::string& token) {
    v1::ListJobsRequest request;
    request.set_page_size(size);
    request.set_page_token(token);
    grpc::ClientContext context;
    v1::ListJobsResponse response;
    const Status status = proto::from_grpc(stub->ListJobs(&context, request, &response));
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    return field_violation(status).value_or(FieldViolation{}).field;
  };
  CHECK(list(-1, "") == "page_size");
  CHECK(list(0, "nonsense") == "page_token");
  CHECK(list(0, "-4") == "page_token");

  grpc::ClientContext context;
  v1::GetJobRequest get;
  get.set_id(99);
  v1::Job job;
  CHECK(stub->GetJob(&context, get, &job).error_code() == grpc::StatusCode::NOT_FOUND);
}

TEST_CASE("an oversized message is refused and the connection goes on") {
  RunningDaemon running;
  const auto stub = running.stub();
  v1::GetKernelRequest request;
  request.set_device(std::string(size_t(server::kMaxRequestBytes) + 1, 'x'));
  grpc::ClientContext context;
  v1::GetKernelResponse response;
  CHECK(stub->GetKernel(&context, request, &response).error_code() ==
        grpc::StatusCode::RESOURCE_EXHAUSTED);
  grpc::ClientContext next;
  v1::ListFamiliesResponse families;
  CHECK(stub->ListFamilies(&next, v1::ListFamiliesRequest(), &families).ok());
}

TEST_CASE("an engine's failure keeps its code, and an internal one its message") {
  RunningDaemon running;
  running.engine().fail_next(absl::ResourceExhaustedError("48 GiB do not fit"));
  v1::GetKernelRequest request;
  *request.mutable_problem() = RunningDaemon::problem(1000);
  grpc::ClientContext context;
  v1::GetKernelResponse response;
  const grpc::Status status = running.stub()->GetKernel(&context, request, &response);
  CHECK(status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(status.error_message() == "48 GiB do not fit");
  CHECK_FALSE(status.error_details().empty());
}

}  // namespace
}  // namespace kiln
