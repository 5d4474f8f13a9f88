// A system clock that is set while the daemon works.

#include <atomic>
#include <cstring>
#include <thread>

#include "tests/server/kilnd_client.h"

namespace kiln {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;
using testing::attention;
using testing::KilndProcess;
using testing::stub_of;

// The system clock of one process (tests/support/moving_clock.cpp).
class MovingClock {
 public:
  MovingClock() { set(nanoseconds(0)); }
  std::vector<std::string> environment() const {
    return {"LD_PRELOAD=" KILN_MOVING_CLOCK, "KILN_TEST_CLOCK=" + path()};
  }
  // By how much it is ahead.
  void set(nanoseconds lead) {
    const int64_t value = lead.count();
    std::ofstream file(path(), std::ios::binary | std::ios::in | std::ios::out);
    if (!file.is_open()) file.open(path(), std::ios::binary);
    file.write(reinterpret_cast<const char*>(&value), sizeof value);
  }

 private:
  std::string path() const { return scratch_ / "lead"; }
  testing::ScratchDirectory scratch_;
};

int64_t unix_seconds(const KilndProcess& kilnd, int64_t head_dim) {
  v1::CreateJobRequest request;
  *request.mutable_problem() = attention(head_dim);
  request.mutable_budget()->set_evaluations(1);
  return testing::create_job(*stub_of(kilnd), request).created_at().seconds();
}

nanoseconds moment(const google::protobuf::Timestamp& time) {
  return std::chrono::seconds(time.seconds()) + nanoseconds(time.nanos());
}

TEST_CASE("a clock that is set back or ahead breaks neither jobs nor waits") {
  MovingClock clock;
  KilndProcess kilnd({}, {.environment = clock.environment()});
  kilnd.start();
  const auto stub = stub_of(kilnd);
  int64_t head_dim = 8;
  for (const nanoseconds jump : {nanoseconds(-hours(24)), nanoseconds(hours(24))}) {
    CAPTURE(jump.count());
    clock.set(nanoseconds(0));
    const int64_t before = unix_seconds(kilnd, head_dim);
    v1::CreateJobRequest create;
    *create.mutable_problem() = attention(head_dim += 8);
    create.mutable_budget()->set_evaluations(4);
    v1::WatchJobRequest watch;
    watch.set_id(testing::create_job(*stub, create).id());
    grpc::ClientContext watching;
    const auto reader = stub->WatchJob(&watching, watch);
    v1::Job job;
    while (reader->Read(&job) && job.state() != v1::Job::STATE_RUNNING) {
    }

    // Waits for the job that runs, then for one behind it, with the clock set meanwhile.
    std::thread setter([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      clock.set(jump);
    });
    v1::GetKernelRequest get;
    *get.mutable_problem() = attention(head_dim += 8);
    get.mutable_policy()->set_wait(v1::Policy::WAIT_DEADLINE);
    get.mutable_policy()->mutable_deadline()->set_nanos(500'000'000);
    grpc::ClientContext getting;
    getting.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(2));
    v1::GetKernelResponse kernel;
    const grpc::Status got = stub->GetKernel(&getting, get, &kernel);
    setter.join();
    INFO(got.error_message());
    CHECK(got.ok());
    CHECK(kernel.found());

    while (reader->Read(&job)) {
    }
    CHECK(job.state() == v1::Job::STATE_SUCCEEDED);
    CHECK(moment(job.started_at()) >= moment(job.created_at()));
    CHECK(moment(job.finished_at()) >= moment(job.started_at()));
    CHECK(job.progress().elapsed().seconds() < 3600);
    // The clock of the process was set indeed.
    const int64_t moved = unix_seconds(kilnd, head_dim += 8) - before;
    CHECK(std::abs(moved - std::chrono::duration_cast<std::chrono::seconds>(jump).count()) < 3600);
    head_dim += 8;
  }
  CHECK(kilnd.end(SIGTERM) == 0);
}

}  // namespace
}  // namespace kiln
