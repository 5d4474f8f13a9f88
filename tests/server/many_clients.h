// Clients with connections of their own, one or many at once.

#pragma once

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kiln/v1/kiln.grpc.pb.h"

namespace kiln::testing {

// Channels to the same socket otherwise share a connection.
inline std::unique_ptr<v1::Kiln::Stub> connect(const std::string& socket) {
  grpc::ChannelArguments own;
  own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return v1::Kiln::NewStub(
      grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), own));
}

// How many of so many clients that ask at the same time get a kernel.
inline int served_at_once(int clients, const std::string& socket, const v1::Problem& problem) {
  std::atomic<int> served = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&] {
      v1::GetKernelRequest request;
      *request.mutable_problem() = problem;
      grpc::ClientContext context;
      context.set_wait_for_ready(true);
      v1::GetKernelResponse response;
      if (connect(socket)->GetKernel(&context, request, &response).ok() && response.found()) {
        ++served;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  return served;
}

}  // namespace kiln::testing
