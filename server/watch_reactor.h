// One WatchJob stream: the newest state of a job as fast as its client reads, the final one last.

#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>
#include <optional>

#include "engine/engine.h"
#include "kiln/v1/kiln.pb.h"

namespace kiln::server {

class Service;

class WatchReactor final : public grpc::ServerWriteReactor<v1::Job>,
                           public std::enable_shared_from_this<WatchReactor> {
 public:
  // `service` forgets the stream when gRPC is done with it.
  explicit WatchReactor(Service& service) : service_(service) {}

  // Subscribes; ends the stream when there is no such job.
  void watch(engine::Engine& engine, int64_t job);

  // Ends the stream with this status, at once. Thread-safe; calls after the first do nothing.
  void end(const Status& status);

 private:
  void changed(const engine::JobView& job, bool last);
  // Starts the next write, or ends the stream after the last.
  void go_on(std::unique_lock<std::mutex> lock);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  Service& service_;
  std::mutex mutex_;  // never held while calling gRPC or the engine
  std::shared_ptr<void> subscription_;
  std::optional<v1::Job> next_;  // a slow client skips states
  v1::Job written_;
  bool writing_ = false;
  bool last_ = false;  // next_ is the final state
  bool ended_ = false;
  bool done_ = false;
};

}  // namespace kiln::server
