// What tests ask of a kilnd with the real engine.

#pragma once

#include <grpcpp/grpcpp.h>

#include <catch2/catch.hpp>
#include <memory>

#include "kiln/v1/kiln.grpc.pb.h"
#include "tests/server/many_clients.h"
#include "tests/support/kilnd_process.h"

namespace kiln::testing {

inline std::unique_ptr<v1::Kiln::Stub> stub_of(const KilndProcess& kilnd) {
  return connect(kilnd.socket());
}

// A small attention problem; `head_dim` tells problems apart.
inline v1::Problem attention(int64_t head_dim) {
  v1::Problem problem;
  problem.set_family("attention_forward");
  const std::pair<const char*, int64_t> sizes[] = {{"batch", 1},    {"heads_q", 2},
                                                   {"heads_kv", 2}, {"seq_q", 64},
                                                   {"seq_kv", 64},  {"head_dim", head_dim}};
  for (const auto& [name, value] : sizes) {
    v1::ProblemField* field = problem.add_fields();
    field->set_name(name);
    field->mutable_value()->set_integer(value);
  }
  v1::ProblemField* dtype = problem.add_fields();
  dtype->set_name("dtype");
  dtype->mutable_value()->set_choice("f32");
  return problem;
}

inline v1::Job create_job(v1::Kiln::Stub& stub, const v1::CreateJobRequest& request) {
  grpc::ClientContext context;
  v1::Job job;
  const grpc::Status status = stub.CreateJob(&context, request, &job);
  INFO(status.error_message());
  REQUIRE(status.ok());
  return job;
}

}  // namespace kiln::testing
