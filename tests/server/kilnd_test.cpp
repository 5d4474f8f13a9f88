// The daemon as a process, with the real engine.

#include "tests/server/kilnd_client.h"
#include "tests/server/many_clients.h"

namespace kiln {
namespace {

using testing::attention;
using testing::KilndProcess;
using testing::stub_of;

TEST_CASE("kilnd names its version and refuses what it does not know") {
  const std::string kilnd = KilndProcess::program();
  CHECK(std::system((kilnd + " --version > /dev/null").c_str()) == 0);
  CHECK(WEXITSTATUS(std::system((kilnd + " --nonsense > /dev/null 2>&1").c_str())) == 2);
  CHECK(WEXITSTATUS(std::system((kilnd + " --background=often > /dev/null 2>&1").c_str())) == 2);
  CHECK(WEXITSTATUS(std::system((kilnd + " --config=/nonexistent > /dev/null 2>&1").c_str())) == 2);
}

TEST_CASE("of two daemons the second is refused: on one socket, and on one database") {
  KilndProcess first;
  first.start();
  const auto refused = [&](const std::string& socket, const std::string& state) {
    KilndProcess second({"--socket", socket, "--state-dir", state});
    second.spawn();
    CHECK(second.wait() == 1);
    return second.log();
  };
  const std::string pid = std::to_string(first.pid());
  CHECK_THAT(refused(first.socket(), first / "other"), Catch::Contains(pid));
  CHECK_THAT(refused(first / "run/other.sock", first.state()), Catch::Contains(pid));
  CHECK(first.end(SIGTERM) == 0);
}

TEST_CASE("a daemon that was killed is replaced by the next") {
  KilndProcess kilnd;
  kilnd.start();
  CHECK(kilnd.end(SIGKILL) == -SIGKILL);
  CHECK(std::filesystem::exists(kilnd.socket()));
  kilnd.start();
  CHECK(kilnd.end(SIGINT) == 0);
  CHECK_FALSE(std::filesystem::exists(kilnd.socket()));
}

TEST_CASE("SIGTERM ends a daemon with a stream open and a job running; the job is resumed") {
  KilndProcess kilnd;
  kilnd.start();
  int64_t id = 0;
  {
    const auto stub = stub_of(kilnd);
    v1::CreateJobRequest create;
    *create.mutable_problem() = attention(32);
    create.mutable_budget()->mutable_time()->set_seconds(60);
    id = testing::create_job(*stub, create).id();
    v1::WatchJobRequest request;
    request.set_id(id);
    grpc::ClientContext context;
    const auto reader = stub->WatchJob(&context, request);
    v1::Job job;
    while (reader->Read(&job) && job.state() == v1::Job::STATE_QUEUED) {
    }
    REQUIRE(job.state() == v1::Job::STATE_RUNNING);
    const auto before = std::chrono::steady_clock::now();
    CHECK(kilnd.end(SIGTERM) == 0);
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(10));
    while (reader->Read(&job)) {
    }
    CHECK(reader->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
  }
  kilnd.start();
  grpc::ClientContext context;
  v1::GetJobRequest request;
  request.set_id(id);
  v1::Job job;
  REQUIRE(stub_of(kilnd)->GetJob(&context, request, &job).ok());
  CHECK(job.state() <= v1::Job::STATE_RUNNING);
  CHECK(kilnd.end(SIGTERM) == 0);
}

TEST_CASE("a configuration with a fault is kept out on SIGHUP, and said so") {
  const testing::ScratchDirectory scratch;
  const std::string path = scratch / "kilnd.yaml";
  KilndProcess configured({"--config", path});
  std::ofstream(path) << "log_level: info\n";
  configured.start();
  std::ofstream(path) << "log_level: [\n";
  configured.signal(SIGHUP);
  const auto logged = [&](const char* text) {
    for (int i = 0; i < 1000; ++i) {
      if (configured.log().find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  };
  CHECK(logged("configuration kept as it was"));
  std::ofstream(path) << "idle_load: 0.5\n";
  configured.signal(SIGHUP);
  CHECK(logged("needs a restart: idle_load"));
  CHECK(configured.end(SIGTERM) == 0);
}

TEST_CASE("200 clients that ask for one untuned problem are all answered, with one job") {
  KilndProcess kilnd({"--background", "always"});
  kilnd.start();
  CHECK(testing::served_at_once(200, kilnd.socket(), attention(40)) == 200);
  grpc::ClientContext context;
  v1::ListJobsResponse jobs;
  REQUIRE(stub_of(kilnd)->ListJobs(&context, v1::ListJobsRequest(), &jobs).ok());
  CHECK(jobs.jobs_size() == 1);
  CHECK(kilnd.end(SIGTERM) == 0);
}

}  // namespace
}  // namespace kiln
