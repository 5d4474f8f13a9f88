#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/channel_arguments.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "client/tunectl/connection.h"
#include "engine/engine.h"
#include "server/configuration.h"
#include "server/service.h"

namespace kiln::tunectl {
namespace {

class EmbeddedConnection : public Connection {
 public:
  explicit EmbeddedConnection(std::unique_ptr<engine::Engine> engine)
      : engine_(std::move(engine)), service_(*engine_, {}) {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    builder.SetMaxReceiveMessageSize(kLargestMessage);
    server_ = builder.BuildAndStart();
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kLargestMessage);
    stub_ = v1::Kiln::NewStub(server_->InProcessChannel(arguments));
  }

  ~EmbeddedConnection() override {
    service_.drain();
    stub_.reset();
    server_->Shutdown();
    server_->Wait();
  }

  v1::Kiln::StubInterface& service() override { return *stub_; }

 private:
  std::unique_ptr<engine::Engine> engine_;
  server::Service service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::Kiln::StubInterface> stub_;
};

}  // namespace

StatusOr<std::unique_ptr<Connection>> open_embedded(const std::string& state_directory,
                                                    const std::string& device) {
  // What the engine has to say stays out of the results on the standard output.
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "tunectl", std::make_shared<spdlog::sinks::stderr_sink_mt>()));
  spdlog::set_pattern("tunectl: %v");
  spdlog::set_level(spdlog::level::warn);

  engine::EngineOptions options;
  options.state_directory = state_directory;
  if (!device.empty()) options.devices = {device};
  if (state_directory.empty()) {
    KILN_ASSIGN_OR_RETURN(options.state_directory, server::default_state_directory());
  }
  // What is asked for is tuned; nothing goes on behind it, the process is about to end.
  options.background = engine::Background::kNever;
  KILN_ASSIGN_OR_RETURN(std::unique_ptr<engine::Engine> engine, engine::Engine::open(options));
  return std::make_unique<EmbeddedConnection>(std::move(engine));
}

}  // namespace kiln::tunectl
