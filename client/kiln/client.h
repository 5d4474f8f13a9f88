// Kiln's client library: asks the daemon for kernels, keeps them, launches them.
//
//     KILN_ASSIGN_OR_RETURN(auto client, kiln::Client::connect());
//     KILN_ASSIGN_OR_RETURN(kiln::ProblemHandle problem,
//                           client->prepare(kiln::ProblemBuilder("attention_forward")
//                                               .set("batch", 1).set("heads_q", 32) …));
//     KILN_ASSIGN_OR_RETURN(auto kernel, client->get_kernel(problem));  // from now on a cached one
//     KILN_RETURN_IF_ERROR(kiln::launch(*kernel, problem, tensors));
//
// A Client is thread-safe. What find() returns comes from this process's memory in tens of
// nanoseconds, without a lock. A stand-in is replaced in the background once the daemon has
// something better; a kernel that was handed out stays valid as long as it is held.
//
// Code is accepted only over a Unix socket whose owner and server are this user or root, and only
// after its hash and instruction set were checked. Every call has a deadline. After fork() a child
// keeps what was cached and connects anew; fork() while another thread is inside get_kernel() is
// not supported by gRPC.

#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>

#include "client/kiln/policy.h"
#include "client/kiln/problem_builder.h"
#include "client/kiln/problem_handle.h"
#include "client/kiln/served_kernel.h"
#include "core/status.h"
#include "runtime/kernel.h"

namespace kiln {

struct ClientOptions {
  std::string socket;                                  // empty: where kilnd listens by default
  std::chrono::milliseconds call_deadline{5'000};      // of a call, beside what a policy waits
  std::chrono::milliseconds tuning_deadline{600'000};  // of Policy::Wait::kUntilTuned
  // How soon a stand-in is asked about again; the pause doubles up to a minute. 0: never.
  std::chrono::milliseconds refresh_interval{2'000};
};

class Client {
 public:
  // UNAVAILABLE when no daemon listens, PERMISSION_DENIED when the one that does is not trusted.
  static StatusOr<std::shared_ptr<Client>> connect(const ClientOptions& options = {});
  virtual ~Client() = default;

  // Checks the fields against the family's schema (asked of the daemon once). INVALID_ARGUMENT
  // names the field; NOT_FOUND lists the families.
  virtual StatusOr<ProblemHandle> prepare(const ProblemBuilder& problem,
                                          const Policy& policy = {}) = 0;

  // The cached kernel; null when there is none yet. Never waits, never fails.
  virtual std::shared_ptr<const ServedKernel> find(const ProblemHandle& problem) const = 0;

  // The cached kernel, else the daemon's answer by the handle's policy. NOT_FOUND when the policy
  // allows nothing that is known. A policy that waits returns the cached stand-in when the daemon
  // goes away meanwhile.
  virtual StatusOr<std::shared_ptr<const ServedKernel>> get_kernel(
      const ProblemHandle& problem) = 0;

 protected:
  // For implementations: handles are made by clients only.
  static ProblemHandle make_handle(Problem problem, const Policy& policy, uint64_t group);
};

// Launches on the host with the process's thread pool and returns when done. `tensors` are the
// plan's inputs and outputs in order. For hot loops, prepare a runtime::Dispatch instead.
// FAILED_PRECONDITION for a GPU's kernel: its memory and stream are the caller's.
Status launch(const ServedKernel& kernel, const ProblemHandle& problem,
              std::span<const runtime::Tensor> tensors);

// Enqueues a GPU's kernel on `stream` (CUstream, hipStream_t; null: the default one) of the context
// that is current in this thread, and returns (runtime/kernel.h, Dispatch::enqueue). Tensors are
// addresses in device memory, and so is `workspace`, of workspace_bytes() and 64-byte aligned; it
// must stay until the work is done.
Status launch(const ServedKernel& kernel, const ProblemHandle& problem,
              std::span<const runtime::Tensor> tensors, void* workspace, void* stream);
StatusOr<int64_t> workspace_bytes(const ServedKernel& kernel, const ProblemHandle& problem);

}  // namespace kiln
