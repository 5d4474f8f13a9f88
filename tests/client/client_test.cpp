// The client library against a daemon whose engine does what the test says.

#include "client/kiln/client.h"

#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "client/kiln/problems.h"
#include "core/key.h"
#include "tests/support/kilnd_process.h"
#include "tests/support/running_daemon.h"

namespace kiln {
namespace {

using testing::Behaviour;
using testing::eventually;
using testing::RunningDaemon;

ClientOptions options_of(const RunningDaemon& running) {
  ClientOptions options;
  options.socket = running.socket();
  options.call_deadline = std::chrono::seconds(20);
  options.refresh_interval = std::chrono::milliseconds(20);
  return options;
}

std::shared_ptr<Client> connect(const ClientOptions& options) {
  auto client = Client::connect(options);
  REQUIRE(client.status().ToString() == "OK");
  return *std::move(client);
}

ProblemHandle prepare(Client& client, int64_t n, const Policy& policy = {}) {
  auto handle = client.prepare(ProblemBuilder("trial").set("n", n), policy);
  REQUIRE(handle.status().ToString() == "OK");
  return *std::move(handle);
}

TEST_CASE("a GPU's kernel is launched with the caller's memory and stream") {
  // The tests' driver, whose device memory is this process's (tests/support/driver_shim.cpp).
  const std::string driver = std::string(KILN_BINARY_DIRECTORY) + "/tests/shims/works/libcuda.so.1";
  REQUIRE(dlopen(driver.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr);
  RunningDaemon running;
  Artifact artifact{.bytes = "5",  // times five, from its first argument to its second
                    .hash = digest("5"),
                    .target_kind = "cuda",
                    .architecture = "sm_80",
                    .code_identity = "",
                    .toolchain = ""};
  running.engine().replace_artifact(std::make_shared<const Artifact>(std::move(artifact)));
  const auto client = connect(options_of(running));
  const ProblemHandle problem = prepare(*client, 1);
  const auto kernel = client->get_kernel(problem);
  REQUIRE(kernel.status().ToString() == "OK");
  CHECK((*kernel)->code->runs_on_gpu());
  float x = 3, y = 0, out = 0;
  const runtime::Tensor tensors[] = {{&x}, {&y}, {&out}, {}};
  CHECK(launch(**kernel, problem, tensors).code() == absl::StatusCode::kFailedPrecondition);
  CHECK(y == 0);
  const auto workspace = workspace_bytes(**kernel, problem);
  REQUIRE(workspace.status().ToString() == "OK");
  CHECK(*workspace == 0);
  CHECK(launch(**kernel, problem, tensors, nullptr, nullptr).ToString() == "OK");
  CHECK(y == 15);
}

TEST_CASE("a kernel is fetched once, then found; it computes") {
  RunningDaemon running;
  const auto client = connect(options_of(running));
  const ProblemHandle problem = prepare(*client, 1000);
  CHECK(client->find(problem) == nullptr);
  const auto kernel = client->get_kernel(problem);
  REQUIRE(kernel.status().ToString() == "OK");
  CHECK((*kernel)->provenance.kind == Provenance::Kind::kDefault);
  CHECK((*kernel)->config_text == "behaviour=slow");
  CHECK((*kernel)->device == "host");
  CHECK(client->find(problem) != nullptr);
  const int lookups = running.engine().lookups();
  CHECK(client->get_kernel(problem).ok());
  CHECK(running.engine().lookups() <= lookups + 1);  // the refresher may have asked

  std::vector<float> x(1000, 3), y(1000, 1), out(1000);
  const runtime::Tensor tensors[] = {{x.data()}, {y.data()}, {out.data()}, {}};
  CHECK(launch(**kernel, problem, tensors).ToString() == "OK");
  CHECK(out == std::vector<float>(1000, 7));  // 2 x + y

  ProblemHandle scaled = problem;
  REQUIRE(scaled.set_scalar("scale", 10).ok());
  CHECK(launch(**kernel, scaled, tensors).ok());
  CHECK(out == std::vector<float>(1000, 31));
}

TEST_CASE("a stand-in gives way to a better kernel without being asked for again") {
  RunningDaemon running;
  const auto client = connect(options_of(running));
  const ProblemHandle problem = prepare(*client, 1000);
  const auto first = client->get_kernel(problem);
  REQUIRE(first.ok());
  running.engine().serve(Behaviour::kFast, true);
  eventually([&] { return !client->find(problem)->provenance.provisional; });
  CHECK(client->find(problem)->provenance.winner_id == 7);
  CHECK(client->find(problem)->artifact_hash != (*first)->artifact_hash);
}

TEST_CASE("sizes in one bucket share a kernel unless the match must be exact") {
  RunningDaemon running;
  const auto client = connect(options_of(running));
  ProblemHandle problem = prepare(*client, 100'001);
  const size_t n = *problem.size_index("n");
  const KernelKey key = problem.key();
  const Bucketing bucketing = running.engine().trial().schema().fields()[0].bucketing;
  const bool same_bucket = bucketing.bucket(100'001) == bucketing.bucket(100'002);
  REQUIRE(problem.set_size(n, 100'002).ok());
  CHECK((problem.key() == key) == same_bucket);
  CHECK(problem.sizes()[n] == 100'002);
  CHECK(problem.problem().integer("n") == 100'002);

  Policy exact;
  exact.exact = true;
  ProblemHandle one = prepare(*client, 100'001, exact);
  const KernelKey exact_key = one.key();
  REQUIRE(one.set_size(n, 100'002).ok());
  CHECK_FALSE(one.key() == exact_key);

  CHECK(absl::IsInvalidArgument(problem.set_size(n, -1)));
  CHECK(absl::IsNotFound(problem.size_index("tag").status()));
  CHECK(absl::IsNotFound(problem.set_scalar("n", 1)));
}

TEST_CASE("a wrong problem names its field; an unknown family lists the known ones") {
  RunningDaemon running;
  const auto client = connect(options_of(running));
  const auto field = [&](const ProblemBuilder& builder) {
    const auto handle = client->prepare(builder);
    REQUIRE_FALSE(handle.ok());
    return field_violation(handle.status()).value_or(FieldViolation{}).field;
  };
  CHECK(field(ProblemBuilder("trial").set("n", -4)) == "n");
  CHECK(field(ProblemBuilder("trial").set("n", "few")) == "n");
  CHECK(field(ProblemBuilder("trial").set("m", 4)) == "m");
  CHECK(field(ProblemBuilder("trail").set("n", 4)) == "family");
}

TEST_CASE("code that is not what it says, or not code, is not loaded") {
  RunningDaemon running;
  const auto client = connect(options_of(running));
  auto artifact = std::make_shared<Artifact>();
  artifact->target_kind = "host";
  artifact->architecture = "baseline";
  artifact->bytes = "#!/bin/sh\necho no shared object\n";
  SECTION("a wrong hash") {
    artifact->hash = digest("something else");
  }
  SECTION("no shared object") {
    artifact->hash = digest(artifact->bytes);
  }
  running.engine().replace_artifact(artifact);
  const auto kernel = client->get_kernel(prepare(*client, 1000));
  CHECK_FALSE(kernel.ok());
}

TEST_CASE("a policy that allows nothing known is NOT_FOUND and names the job") {
  RunningDaemon running;
  const auto client = connect(options_of(running));
  running.engine().serve_nothing();
  const auto kernel = client->get_kernel(prepare(*client, 1000));
  CHECK(absl::IsNotFound(kernel.status()));
  CHECK_THAT(std::string(kernel.status().message()), Catch::Contains("job 5"));
}

TEST_CASE("without a daemon the message says how to start one") {
  const testing::ScratchDirectory scratch;
  const auto client = Client::connect({.socket = scratch / "none.sock"});
  CHECK(absl::IsUnavailable(client.status()));
  CHECK_THAT(std::string(client.status().message()), Catch::Contains("kilnd"));
}

TEST_CASE("sockets of others and symbolic links are not trusted") {
  RunningDaemon running;
  const testing::ScratchDirectory scratch;
  std::filesystem::create_symlink(running.socket(), scratch / "link.sock");
  CHECK(absl::IsPermissionDenied(Client::connect({.socket = scratch / "link.sock"}).status()));
  if (geteuid() == 0) {
    REQUIRE(chown(running.socket().c_str(), 65534, 65534) == 0);
    CHECK(absl::IsPermissionDenied(Client::connect(options_of(running)).status()));
  }
}

TEST_CASE("a client finds a daemon that was restarted") {
  RunningDaemon running;
  const auto client = connect(options_of(running));
  const ProblemHandle problem = prepare(*client, 1000);
  REQUIRE(client->get_kernel(problem).ok());
  running.stop();
  CHECK(client->get_kernel(problem).ok());  // from the cache
  CHECK(absl::IsUnavailable(client->get_kernel(prepare(*client, 1)).status()));
  running.start();
  eventually([&] { return client->get_kernel(prepare(*client, 1)).ok(); });
}

TEST_CASE("a client that waits for tuning returns its stand-in when the daemon goes away") {
  RunningDaemon running;
  const auto client = connect(options_of(running));
  REQUIRE(client->get_kernel(prepare(*client, 1000)).ok());
  Policy policy;
  policy.wait = Policy::Wait::kUntilTuned;
  const ProblemHandle waiting = prepare(*client, 1000, policy);
  StatusOr<std::shared_ptr<const ServedKernel>> kernel = absl::UnknownError("");
  std::thread caller([&] { kernel = client->get_kernel(waiting); });
  eventually([&] { return running.engine().waiting() == 1; });
  running.stop();
  caller.join();
  REQUIRE(kernel.status().ToString() == "OK");
  CHECK((*kernel)->provenance.provisional);
}

// The exit code of `body` in a forked child.
int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(body());
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// In a process of its own: gRPC's server has threads in this one, which a child would lack.
TEST_CASE("a forked child keeps the cache and connects anew; the parent goes on") {
  testing::KilndProcess kilnd;
  kilnd.start();
  const auto client = connect({.socket = kilnd.socket()});
  const auto fetch = [&](int64_t head_dim) {
    const problems::AttentionForward attention{.batch = 1,
                                               .heads_q = 1,
                                               .heads_kv = 1,
                                               .seq_q = 32,
                                               .seq_kv = 32,
                                               .head_dim = head_dim,
                                               .dtype = problems::AttentionForward::Dtype::f32};
    const auto problem = client->prepare(attention.builder());
    return problem.ok() && client->get_kernel(*problem).ok() && client->find(*problem) != nullptr;
  };
  REQUIRE(fetch(8));
  CHECK(in_child([&] { return fetch(8) ? 0 : 1; }) == 0);
  CHECK(in_child([&] { return fetch(16) ? 0 : 1; }) == 0);
  CHECK(fetch(24));
}

TEST_CASE("a daemon that does not answer costs a call its deadline, in a child too") {
  const testing::ScratchDirectory scratch;
  const std::string path = scratch / "silent.sock";
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  REQUIRE(listen(fd, 16) == 0);
  const auto client = connect({.socket = path, .call_deadline = std::chrono::milliseconds(300)});
  const auto code = [&] {
    return int(client->prepare(ProblemBuilder("trial").set("n", 1)).status().code());
  };
  CHECK(code() == int(absl::StatusCode::kDeadlineExceeded));
  CHECK(in_child(code) == int(absl::StatusCode::kDeadlineExceeded));
  close(fd);
}

TEST_CASE("many threads share a client") {
  RunningDaemon running;
  const auto client = connect(options_of(running));
  std::atomic<int> served = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t n = 1; n <= 20; ++n) {
        const auto problem = client->prepare(ProblemBuilder("trial").set("n", n * (t % 4 + 1)));
        if (problem.ok() && client->get_kernel(*problem).ok()) ++served;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(served == 16 * 20);
}

}  // namespace
}  // namespace kiln
