#include "benchmarks/service/echo_server.h"

#include <grpcpp/grpcpp.h>

#include "echo.grpc.pb.h"

namespace kiln::bench {
namespace {

class EchoService final : public Echo::Service {
  grpc::Status Call(grpc::ServerContext*, const EchoRequest* request,
                    EchoResponse* response) override {
    response->mutable_payload()->resize(size_t(request->response_bytes()));
    return grpc::Status::OK;
  }
};

}  // namespace

void serve_echo(const std::string& socket) {
  EchoService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  builder.BuildAndStart()->Wait();
}

}  // namespace kiln::bench
