// Where the daemon listens, how it says that it is well, and what it is told.

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>

#include "server/configuration.h"
#include "server/socket_guard.h"
#include "tests/support/running_daemon.h"

namespace kiln {
namespace {

using server::Configuration;
using server::SocketGuard;
using testing::RunningDaemon;
using testing::ScratchDirectory;

// A socket file at `path` on which nobody listens once `fd` is closed.
int bind_socket(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  REQUIRE(listen(fd, 1) == 0);
  return fd;
}

bool exists(const std::string& path) {
  return std::filesystem::exists(path);
}

TEST_CASE("the socket's directory is made private, the socket goes with the daemon") {
  const ScratchDirectory scratch;
  const std::string path = scratch / "new/kilnd.sock";
  {
    const auto guard = SocketGuard::claim(path);
    REQUIRE(guard.ok());
    struct stat info;
    REQUIRE(stat((scratch / "new").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0700);
    close(bind_socket(path));
  }
  CHECK_FALSE(exists(path));
}

TEST_CASE("a stale socket is replaced, a live one is not") {
  const ScratchDirectory scratch;
  const std::string path = scratch / "kilnd.sock";
  const int fd = bind_socket(path);
  const auto refused = SocketGuard::claim(path).status();
  CHECK(refused.code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(refused.message()),
             Catch::Contains("process " + std::to_string(getpid())));
  CHECK(exists(path));
  close(fd);
  CHECK(SocketGuard::claim(path).ok());
}

TEST_CASE("of two daemons on one socket the second is refused, naming the first") {
  const ScratchDirectory scratch;
  const std::string path = scratch / "kilnd.sock";
  const auto first = SocketGuard::claim(path);
  REQUIRE(first.ok());
  const auto second = SocketGuard::claim(path).status();
  CHECK(second.code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(second.message()), Catch::Contains(std::to_string(getpid())));
}

TEST_CASE("places that others could take are refused") {
  const ScratchDirectory scratch;
  const auto code = [](const std::string& path) {
    return SocketGuard::claim(path).status().code();
  };
  SECTION("a symbolic link to a directory") {
    std::filesystem::create_directory(scratch / "real");
    std::filesystem::create_directory_symlink(scratch / "real", scratch / "link");
    CHECK(code(scratch / "link/kilnd.sock") == absl::StatusCode::kPermissionDenied);
  }
  SECTION("a symbolic link in place of the socket") {
    std::filesystem::create_symlink("/nowhere", scratch / "kilnd.sock");
    CHECK(code(scratch / "kilnd.sock") == absl::StatusCode::kPermissionDenied);
  }
  SECTION("a file in place of the socket is left alone") {
    std::ofstream(scratch / "kilnd.sock") << "precious";
    CHECK(code(scratch / "kilnd.sock") == absl::StatusCode::kPermissionDenied);
    CHECK(exists(scratch / "kilnd.sock"));
  }
  SECTION("a directory that others may write to") {
    REQUIRE(chmod(scratch.path().c_str(), 0777) == 0);
    CHECK(code(scratch / "kilnd.sock") == absl::StatusCode::kPermissionDenied);
  }
  SECTION("a directory of somebody else") {
    if (geteuid() == 0) {
      REQUIRE(chown(scratch.path().c_str(), 65534, 65534) == 0);
      CHECK(code(scratch / "kilnd.sock") == absl::StatusCode::kPermissionDenied);
    } else {
      CHECK(code("/kilnd.sock") == absl::StatusCode::kPermissionDenied);
    }
  }
  SECTION("paths that no socket can have") {
    CHECK(code("") == absl::StatusCode::kInvalidArgument);
    CHECK(code("relative.sock") == absl::StatusCode::kInvalidArgument);
    CHECK(code("/" + std::string(200, 'x')) == absl::StatusCode::kInvalidArgument);
  }
}

std::string health(grpc::Channel& channel) {
  // grpc.health.v1.Health/Check of kiln.v1.Kiln, by hand: field 1, 12 bytes.
  const std::string request =
      "\x0a\x0c"
      "kiln.v1.Kiln";
  grpc::Slice slice(request);
  grpc::ByteBuffer question(&slice, 1), answer;
  const grpc::internal::RpcMethod method("/grpc.health.v1.Health/Check",
                                         grpc::internal::RpcMethod::NORMAL_RPC);
  grpc::ClientContext context;
  const grpc::Status status = grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer,
                                                                grpc::ByteBuffer, grpc::ByteBuffer>(
      &channel, method, &context, question, &answer);
  if (!status.ok()) return status.error_message();
  std::vector<grpc::Slice> slices;
  REQUIRE(answer.Dump(&slices).ok());
  return slices.empty() ? "" : std::string(slices[0].begin(), slices[0].end());
}

TEST_CASE("the daemon answers health checks and reflection") {
  RunningDaemon running;
  CHECK(health(*running.channel()) == std::string("\x08\x01"));  // SERVING
  CHECK_THAT(running.daemon().description(), Catch::Contains(running.socket()));
}

TEST_CASE("a daemon can be started where one was stopped") {
  RunningDaemon running;
  running.stop();
  running.start();
  CHECK(health(*running.channel()) == std::string("\x08\x01"));
}

StatusOr<Configuration> read(const std::string& text) {
  const ScratchDirectory scratch;
  std::ofstream(scratch / "kilnd.yaml") << text;
  return read_configuration(scratch / "kilnd.yaml", Configuration::defaults());
}

TEST_CASE("a configuration file sets what it names") {
  const auto configuration = read(
      "# a comment\n"
      "socket: /run/elsewhere/k.sock\n"
      "devices: [host, \"host:avx2\"]\n"
      "background: always\n"
      "background_budget: 2.5s\n"
      "artifact_bytes: 1000\n"
      "log_level: debug\n");
  REQUIRE(configuration.ok());
  CHECK(configuration->socket == "/run/elsewhere/k.sock");
  CHECK(configuration->engine.devices == std::vector<std::string>{"host", "host:avx2"});
  CHECK(configuration->engine.background == engine::Background::kAlways);
  CHECK(configuration->engine.background_budget == std::chrono::milliseconds(2500));
  CHECK(configuration->engine.gc.artifact_bytes == 1000);
  CHECK(configuration->log_level == "debug");
  CHECK(read("").ok());
}

TEST_CASE("a configuration file's faults are named with their line") {
  const auto fault = [](const std::string& text) {
    const auto configuration = read(text);
    REQUIRE_FALSE(configuration.ok());
    return std::string(configuration.status().message());
  };
  using Catch::Contains;
  CHECK_THAT(fault("background: idle\nbackgruond: idle\n"),
             Contains("kilnd.yaml:2: ") && Contains("backgruond") && Contains("background"));
  CHECK_THAT(fault("\n\nbackground: sometimes\n"), Contains(":3: ") && Contains("never, idle"));
  CHECK_THAT(fault("idle_load: many\n"), Contains(":1: ") && Contains("idle_load"));
  CHECK_THAT(fault("idle_load: [1]\n"), Contains("a list"));
  CHECK_THAT(fault("devices: host\n"), Contains(":1: ") && Contains("[host]"));
  CHECK_THAT(fault("artifact_bytes: -1\n"), Contains("artifact_bytes"));
  CHECK_THAT(fault("socket: /a\nsocket: /b\n"), Contains(":2: ") && Contains("twice"));
  CHECK_THAT(fault("socket: [\n"), Contains("kilnd.yaml:"));
  CHECK_THAT(fault("- a\n"), Contains("map"));
  CHECK(server::read_configuration("/nonexistent/kilnd.yaml", {}).status().code() ==
        absl::StatusCode::kNotFound);
}

TEST_CASE("a reload applies what it can and names the rest") {
  RunningDaemon running;
  Configuration configuration = running.configuration();
  configuration.engine.gc.artifact_bytes = 99;
  CHECK(running.daemon().reload(configuration).empty());
  grpc::ClientContext context;
  v1::CollectGarbageResponse report;
  REQUIRE(running.stub()->CollectGarbage(&context, v1::CollectGarbageRequest(), &report).ok());
  CHECK(report.bytes_removed() == 99);
  configuration.engine.devices = {"host:avx2"};
  CHECK(running.daemon().reload(configuration) == std::vector<std::string>{"devices"});
}

}  // namespace
}  // namespace kiln
