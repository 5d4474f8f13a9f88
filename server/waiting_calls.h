// Calls that wait inside the engine: bounded in number, ended when their client is gone or the
// daemon stops.
//
// A waiting call holds a thread of the server, which cannot see by itself that nobody waits for its
// answer any more; one thread looks after all of them.

#pragma once

#include <grpcpp/server_context.h>

#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

namespace kiln::server {

class WaitingCalls {
  struct Call {
    const grpc::ServerContextBase* context;
    std::stop_source stop;
  };

 public:
  explicit WaitingCalls(size_t limit);
  ~WaitingCalls();
  WaitingCalls(const WaitingCalls&) = delete;
  WaitingCalls& operator=(const WaitingCalls&) = delete;

  // The right to wait; given back by destruction.
  class Seat {
   public:
    Seat(Seat&& other) noexcept : calls_(std::exchange(other.calls_, nullptr)), at_(other.at_) {}
    Seat& operator=(Seat&&) = delete;
    ~Seat();
    std::stop_token token() const { return at_->stop.get_token(); }

   private:
    friend class WaitingCalls;
    Seat(WaitingCalls& calls, std::list<Call>::iterator at) : calls_(&calls), at_(at) {}
    WaitingCalls* calls_;
    std::list<Call>::iterator at_;
  };

  // Nothing when all seats are taken: the caller should answer without waiting.
  std::optional<Seat> enter(const grpc::ServerContextBase& context);

  // Ends all waits and those to come. Thread-safe.
  void stop();

 private:
  void look_after(std::stop_token ended);

  const size_t limit_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::list<Call> calls_;
  bool stopped_ = false;
  std::jthread keeper_;  // last: uses the members above
};

}  // namespace kiln::server
