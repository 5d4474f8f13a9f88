// Latencies of kilnd, each round beside an echo of the same bytes by a process like it. Prints
// JSON:
//
//     {"rounds": [{"name", "unit", "kiln": […], "peer": […]}]}
//
// Arguments: the kilnd executable; or --echo SOCKET to be the echo.

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "benchmarks/service/child.h"
#include "benchmarks/service/echo_server.h"
#include "benchmarks/service/in_process.h"
#include "benchmarks/service/latency.h"
#include "echo.grpc.pb.h"
#include "kiln/v1/kiln.grpc.pb.h"

namespace kiln::bench {
namespace {

using nlohmann::json;

constexpr int kRounds = 15;
constexpr int kCallsPerRound = 300;
constexpr int kUntunedRounds = 6;
constexpr int kUntunedPerRound = 3;
constexpr double kUntunedBoundMs = 500;
constexpr auto kIdlePhase = std::chrono::milliseconds(1000);
constexpr int kBurst = 10;
constexpr auto kBetweenBursts = std::chrono::milliseconds(1);
constexpr auto kCallTimeout = std::chrono::seconds(30);

[[noreturn]] void fail(const std::string& what) {
  std::cerr << "kiln-bench-service: " << what << "\n";
  std::exit(1);
}

v1::GetKernelRequest request_for(int head_dim, int tokens) {
  v1::GetKernelRequest request;
  request.mutable_problem()->set_family("attention_forward");
  const std::pair<const char*, int64_t> sizes[] = {{"batch", 1},       {"heads_q", 8},
                                                   {"heads_kv", 8},    {"seq_q", tokens},
                                                   {"seq_kv", tokens}, {"head_dim", head_dim}};
  for (const auto& [name, value] : sizes) {
    auto* field = request.mutable_problem()->add_fields();
    field->set_name(name);
    field->mutable_value()->set_integer(value);
  }
  auto* dtype = request.mutable_problem()->add_fields();
  dtype->set_name("dtype");
  dtype->mutable_value()->set_choice("f32");
  request.mutable_policy()->set_stand_in(v1::Policy::STAND_IN_DEFAULT_ONLY);
  return request;
}

class KilnCaller {
 public:
  explicit KilnCaller(const std::string& socket)
      : stub_(v1::Kiln::NewStub(grpc::CreateCustomChannel(
            "unix:" + socket, grpc::InsecureChannelCredentials(), alone()))) {}

  v1::GetKernelResponse get(const v1::GetKernelRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
    v1::GetKernelResponse response;
    const grpc::Status status = stub_->GetKernel(&context, request, &response);
    if (!status.ok()) fail("GetKernel: " + status.error_message());
    if (!response.found()) fail("GetKernel found nothing");
    return response;
  }

 private:
  // A connection of its own, as another process would have.
  static grpc::ChannelArguments alone() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return arguments;
  }

  std::unique_ptr<v1::Kiln::Stub> stub_;
};

class EchoCaller {
 public:
  explicit EchoCaller(const std::string& socket)
      : stub_(Echo::NewStub(
            grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials()))) {}

  void call(const EchoRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
    EchoResponse response;
    const grpc::Status status = stub_->Call(&context, request, &response);
    if (!status.ok()) fail("echo: " + status.error_message());
  }

 private:
  std::unique_ptr<Echo::Stub> stub_;
};

// A request to the echo of as many bytes both ways.
EchoRequest same_bytes(KilnCaller& kiln, const v1::GetKernelRequest& request) {
  EchoRequest same;
  same.set_payload(request.SerializeAsString());
  same.set_response_bytes(int64_t(kiln.get(request).ByteSizeLong()));
  return same;
}

// A cached answer against an echo.
json cached(const std::string& name, KilnCaller& kiln, EchoCaller& echo,
            const v1::GetKernelRequest& request) {
  const EchoRequest same = same_bytes(kiln, request);
  json ours = json::array();
  json theirs = json::array();
  for (int round = 0; round < kRounds; ++round) {
    latencies(kCallsPerRound / 10, [&] { kiln.get(request); });
    ours.push_back(quantile(latencies(kCallsPerRound, [&] { kiln.get(request); }), 0.5));
    latencies(kCallsPerRound / 10, [&] { echo.call(same); });
    theirs.push_back(quantile(latencies(kCallsPerRound, [&] { echo.call(same); }), 0.5));
  }
  return {{"name", name + " (" + std::to_string(same.response_bytes()) + " bytes)"},
          {"unit", "us"},
          {"peer_name", "gRPC echo"},
          {"kiln", ours},
          {"peer", theirs}};
}

// A second client, and what it asks over and over.
struct Bystander {
  KilnCaller& kiln;
  const v1::GetKernelRequest& known;
  EchoCaller& echo;
  const EchoRequest& same;

  struct P99 {
    double kiln, echo;  // us
  };
  // Calls both in turns until `work` returns.
  template <class Work>
  P99 beside(Work&& work) {
    std::atomic<bool> done{false};
    std::vector<double> ours, theirs;
    const auto append = [](std::vector<double>& all, const std::vector<double>& few) {
      all.insert(all.end(), few.begin(), few.end());
    };
    std::thread other([&] {
      while (!done) {
        append(ours, latencies(kBurst, [&] { kiln.get(known); }));
        append(theirs, latencies(kBurst, [&] { echo.call(same); }));
        std::this_thread::sleep_for(kBetweenBursts);
      }
    });
    work();
    done = true;
    other.join();
    return {quantile(ours, 0.99), quantile(theirs, 0.99)};
  }
};

// Problems never asked for before, each to be compiled and probed; and what a second client sees
// meanwhile: against what it sees while nothing happens, and against an echo beside the same work.
void untuned(KilnCaller& kiln, Bystander second, json& rounds) {
  json first_answers = json::array(), bounds = json::array();
  json busy = json::array(), idle = json::array(), busy_echo = json::array();
  int head_dim = 16;
  for (int round = 0; round < kUntunedRounds; ++round) {
    idle.push_back(second.beside([] { std::this_thread::sleep_for(kIdlePhase); }).kiln);
    const Bystander::P99 p99 = second.beside([&] {
      for (int i = 0; i < kUntunedPerRound; ++i, head_dim += 8) {
        const auto request = request_for(head_dim, 512);
        const auto took = latencies(1, [&] { kiln.get(request); });
        first_answers.push_back(took.front() / 1000);
        bounds.push_back(kUntunedBoundMs);
      }
    });
    busy.push_back(p99.kiln);
    busy_echo.push_back(p99.echo);
  }
  rounds.push_back({{"name", "untuned GetKernel"},
                    {"unit", "ms"},
                    {"peer_name", "bound of 500 ms"},
                    {"kiln", first_answers},
                    {"peer", bounds}});
  rounds.push_back({{"name", "cached p99 beside untuned"},
                    {"unit", "us"},
                    {"peer_name", "idle p99"},
                    {"kiln", busy},
                    {"peer", idle}});
  rounds.push_back({{"name", "cached p99 beside untuned, both"},
                    {"unit", "us"},
                    {"peer_name", "gRPC echo's p99"},
                    {"kiln", busy},
                    {"peer", busy_echo}});
}

int run(const std::string& self, const std::string& daemon) {
  std::string folder = (std::filesystem::temp_directory_path() / "kiln-bench.XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) fail("no temporary folder");
  const std::string socket = folder + "/kilnd.sock";
  const std::string echo_socket = folder + "/echo.sock";
  json rounds = json::array();
  {
    Child kilnd(
        {daemon, "--socket", socket, "--state-dir", folder + "/state", "--background", "never"},
        folder + "/kilnd.log");
    Child echo_server({self, "--echo", echo_socket}, folder + "/echo.log");
    if (!wait_for_socket(socket, kilnd)) fail("kilnd does not answer; see " + folder);
    if (!wait_for_socket(echo_socket, echo_server)) fail("the echo does not answer");
    KilnCaller kiln(socket);
    KilnCaller second(socket);
    EchoCaller echo(echo_socket);

    auto request = request_for(8, 512);
    const std::string hash = kiln.get(request).artifact().hash();
    auto with_hash = request;
    with_hash.add_known_artifacts(hash);
    rounds.push_back(cached("cached GetKernel, artifact known", kiln, echo, with_hash));
    rounds.push_back(cached("cached GetKernel", kiln, echo, request));
    const EchoRequest same = same_bytes(kiln, with_hash);
    untuned(kiln, {second, with_hash, echo, same}, rounds);
    rounds.push_back(in_process_lookup(socket, request.problem()));
  }
  std::filesystem::remove_all(folder);
  std::cout << json{{"rounds", rounds}}.dump() << "\n";
  return 0;
}

}  // namespace
}  // namespace kiln::bench

int main(int count, char** arguments) {
  if (count == 3 && std::string(arguments[1]) == "--echo") {
    kiln::bench::serve_echo(arguments[2]);
    return 0;
  }
  if (count != 2) {
    std::fprintf(stderr, "usage: %s KILND | --echo SOCKET\n", arguments[0]);
    return 2;
  }
  return kiln::bench::run(arguments[0], arguments[1]);
}
