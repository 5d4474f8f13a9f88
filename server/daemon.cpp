#include "server/daemon.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>
#include <spdlog/spdlog.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/request_check.h"

namespace kiln::server {
namespace {

// Threads of synchronous calls under way; beyond it gRPC answers RESOURCE_EXHAUSTED. GetKernel has
// its own bound (ServiceOptions).
constexpr int kMaxThreads = 512;
constexpr size_t kMaxTransportBytes = size_t(512) << 20;
// Of 10 s that a stop may take in all; the engine's workers need the rest.
constexpr std::chrono::seconds kDrainTime{4};

// Lists and measurements of large winners exceed gRPC's own bound on what is sent.
constexpr int kMaxResponseBytes = 64 << 20;

void apply_log_level(const Configuration& configuration) {
  spdlog::set_level(spdlog::level::from_str(configuration.log_level));
}

}  // namespace

StatusOr<std::unique_ptr<Daemon>> Daemon::start(const Configuration& configuration,
                                                std::unique_ptr<SocketGuard> socket,
                                                std::unique_ptr<engine::Engine> engine) {
  std::unique_ptr<Daemon> daemon(new Daemon);
  daemon->configuration_ = configuration;
  daemon->socket_ = std::move(socket);
  daemon->engine_ = std::move(engine);
  ServiceOptions options;
  options.gc = configuration.engine.gc;
  daemon->service_ = std::make_unique<Service>(*daemon->engine_, options);
  apply_log_level(configuration);

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ResourceQuota quota("kilnd");
  quota.SetMaxThreads(kMaxThreads);
  quota.Resize(kMaxTransportBytes);
  grpc::ServerBuilder builder;
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
  builder.SetMaxSendMessageSize(kMaxResponseBytes);
  // Only the machine's own users come by a Unix socket; there is no proxy to keep awake.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1000);
  builder.RegisterService(daemon->service_.get());
  daemon->server_ = builder.BuildAndStart();
  if (daemon->server_ == nullptr) return absl::UnavailableError("gRPC does not start a server");
  KILN_ASSIGN_OR_RETURN(
      daemon->listener_,
      Listener::start(configuration.socket, [server = daemon->server_.get()](int connection) {
        grpc::AddInsecureChannelFromFd(server, connection);
      }));
  daemon->server_->GetHealthCheckService()->SetServingStatus(v1::Kiln::service_full_name(), true);
  return daemon;
}

Daemon::~Daemon() {
  stop();
}

void Daemon::stop() {
  if (server_ == nullptr) return;
  server_->GetHealthCheckService()->SetServingStatus(false);
  listener_.reset();
  service_->drain();
  server_->Shutdown(std::chrono::system_clock::now() + kDrainTime);
  server_->Wait();
  server_.reset();
  service_.reset();
  engine_.reset();
  socket_.reset();
}

std::vector<std::string> Daemon::reload(const Configuration& configuration) {
  const engine::EngineOptions& before = configuration_.engine;
  const engine::EngineOptions& after = configuration.engine;
  std::vector<std::string> restart;
  const auto compare = [&](bool equal, const char* key) {
    if (!equal) restart.push_back(key);
  };
  compare(configuration_.socket == configuration.socket, "socket");
  compare(before.state_directory == after.state_directory, "state_dir");
  compare(before.devices == after.devices, "devices");
  compare(before.compiler == after.compiler, "compiler");
  compare(before.worker_path == after.worker_path, "worker");
  compare(before.templates_directory == after.templates_directory, "templates");
  compare(before.background == after.background, "background");
  compare(before.background_budget == after.background_budget, "background_budget");
  compare(before.compile_processes == after.compile_processes, "compile_processes");
  compare(before.idle_load == after.idle_load, "idle_load");

  configuration_.log_level = configuration.log_level;
  configuration_.engine.gc = after.gc;
  apply_log_level(configuration_);
  service_->set_gc(after.gc);
  return restart;
}

std::string Daemon::description() const {
  std::vector<std::string> devices;
  for (const engine::DeviceView& device : engine_->devices()) {
    devices.push_back(
        absl::StrCat(device.name, " (", device.fingerprint.text(), ", ", device.toolchain, ")"));
  }
  return absl::StrCat("listens on ", configuration_.socket,
                      "; devices: ", absl::StrJoin(devices, ", "), "; database ",
                      configuration_.engine.state_directory, "/kiln.db");
}

}  // namespace kiln::server
