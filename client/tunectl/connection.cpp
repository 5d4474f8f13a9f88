#include "client/tunectl/connection.h"

#include <grpcpp/create_channel_posix.h>
#include <grpcpp/support/channel_arguments.h>

#include "client/kiln/connection.h"
#include "client/tunectl/failure.h"

namespace kiln::tunectl {
namespace {

constexpr char kHowToGetOne[] =
    "name another socket with --socket, or add --embedded to work without a daemon";

class DaemonConnection : public Connection {
 public:
  explicit DaemonConnection(int socket) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kLargestMessage);
    stub_ = v1::Kiln::NewStub(grpc::CreateCustomInsecureChannelFromFd("kilnd", socket, arguments));
  }
  v1::Kiln::StubInterface& service() override { return *stub_; }

 private:
  std::unique_ptr<v1::Kiln::StubInterface> stub_;
};

}  // namespace

StatusOr<std::unique_ptr<Connection>> connect_to_daemon(const std::string& socket) {
  const StatusOr<int> connected = connect_trusted(socket);
  if (connected.ok()) return std::make_unique<DaemonConnection>(*connected);
  if (absl::IsInvalidArgument(connected.status())) return connected.status();
  return failure(ExitCode::kNoDaemon, std::string(connected.status().message()), kHowToGetOne);
}

}  // namespace kiln::tunectl
