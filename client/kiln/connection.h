// A connection to the daemon whose other end was checked: native code comes over it.
//
// The socket must belong to this user or to root, and so must the process that answers (asked of
// the kernel, SO_PEERCRED). A broken connection is made anew by the next call; attempts after a
// failure are spaced with a growing, jittered pause, so that many clients of a restarted daemon do
// not arrive at once. Thread-safe; usable in the process that made it only (a forked child makes
// its own).

#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <random>
#include <string>

#include "core/status.h"
#include "kiln/v1/kiln.grpc.pb.h"
#include "proto/status.h"

namespace kiln {

class Connection {
 public:
  using Clock = std::chrono::steady_clock;  // the system's may be set meanwhile

  explicit Connection(std::string socket);

  // Connects unless connected. UNAVAILABLE when no daemon listens (says how to start one),
  // PERMISSION_DENIED when the other end is not to be trusted.
  Status connect();

  // One unary call, `method` being a member PrepareAsync… of the stub; ends by `deadline`. A call
  // that found the connection broken is tried once more on a new one.
  template <typename Request, typename Response, typename Method>
  Status call(Method method, const Request& request, Response& response,
              Clock::time_point deadline);

 private:
  struct Link {
    std::unique_ptr<v1::Kiln::Stub> stub;
  };
  StatusOr<std::shared_ptr<Link>> link();
  void drop(const std::shared_ptr<Link>& link);

  const std::string socket_;
  std::mutex mutex_;
  std::shared_ptr<Link> link_;
  std::minstd_rand random_;
  std::chrono::milliseconds pause_{0};
  std::chrono::steady_clock::time_point next_attempt_{};
};

// The socket's file descriptor, connected and checked; what Connection does first.
StatusOr<int> connect_trusted(const std::string& socket);

template <typename Request, typename Response, typename Method>
Status Connection::call(Method method, const Request& request, Response& response,
                        Clock::time_point deadline) {
  for (bool again = false;; again = true) {
    KILN_ASSIGN_OR_RETURN(const std::shared_ptr<Link> link, this->link());
    // What gRPC takes; it keeps to its own steady clock from here on.
    const auto end = std::chrono::system_clock::now() + (deadline - Clock::now());
    grpc::ClientContext context;
    context.set_deadline(end);
    grpc::CompletionQueue queue;
    grpc::Status status;
    const auto reader = (link->stub.get()->*method)(&context, request, &queue);
    reader->StartCall();
    reader->Finish(&response, &status, nullptr);
    // gRPC's timers have no thread in a forked child: this wait keeps the deadline there too.
    void* tag = nullptr;
    bool ok = false;
    if (queue.AsyncNext(&tag, &ok, end) == grpc::CompletionQueue::TIMEOUT) {
      context.TryCancel();
      queue.Next(&tag, &ok);
      if (!status.ok()) {
        return absl::DeadlineExceededError("kilnd did not answer by the call's deadline");
      }
    }
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return proto::from_grpc(status);
    drop(link);
    if (again) return proto::from_grpc(status);
  }
}

}  // namespace kiln
