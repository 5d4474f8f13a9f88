// A daemon over a scripted engine on a socket of its own, and a stub that speaks to it.

#pragma once

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <thread>

#include "kiln/v1/kiln.grpc.pb.h"
#include "server/daemon.h"
#include "tests/support/scripted_engine.h"

namespace kiln::testing {

// Waits for another thread; fails the test after 20 s.
inline void eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

class RunningDaemon {
 public:
  RunningDaemon() : configuration_(server::Configuration::defaults()) {
    configuration_.socket = scratch_ / "kilnd.sock";
    configuration_.engine.state_directory = scratch_ / "state";
    configuration_.log_level = "off";
    start();
  }

  void start() {
    auto engine = std::make_unique<ScriptedEngine>();
    engine_ = engine.get();
    auto guard = server::SocketGuard::claim(socket());
    REQUIRE(guard.status().ToString() == "OK");
    auto daemon = server::Daemon::start(configuration_, *std::move(guard), std::move(engine));
    REQUIRE(daemon.status().ToString() == "OK");
    daemon_ = *std::move(daemon);
  }
  void stop() { daemon_->stop(); }

  const std::string& socket() const { return configuration_.socket; }
  ScriptedEngine& engine() { return *engine_; }
  server::Daemon& daemon() { return *daemon_; }
  const server::Configuration& configuration() const { return configuration_; }

  std::shared_ptr<grpc::Channel> channel() const {
    return grpc::CreateChannel("unix:" + socket(), grpc::InsecureChannelCredentials());
  }
  std::unique_ptr<v1::Kiln::Stub> stub() const { return v1::Kiln::NewStub(channel()); }

  // "n=1000 tag=0", as a message.
  static v1::Problem problem(int64_t n, int64_t tag = 0) {
    v1::Problem message;
    message.set_family("trial");
    add(message, "n")->set_integer(n);
    add(message, "tag")->set_integer(tag);
    return message;
  }
  static v1::Value* add(v1::Problem& problem, const std::string& name) {
    v1::ProblemField* field = problem.add_fields();
    field->set_name(name);
    return field->mutable_value();
  }

 private:
  ScratchDirectory scratch_;
  server::Configuration configuration_;
  ScriptedEngine* engine_ = nullptr;
  std::unique_ptr<server::Daemon> daemon_;
};

}  // namespace kiln::testing
