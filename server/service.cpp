#include "server/service.h"

#include "proto/problem.h"
#include "server/request_check.h"
#include "server/watch_reactor.h"

namespace kiln::server {

Service::Service(engine::Engine& engine, const ServiceOptions& options)
    : engine_(engine),
      waiting_(options.max_waiting_calls),
      gc_(options.gc),
      threads_(options.max_threads) {}

Service::~Service() = default;

void Service::drain() {
  draining_ = true;
  waiting_.stop();
  std::set<std::shared_ptr<WatchReactor>> streams;
  {
    std::lock_guard lock(mutex_);
    streams = streams_;
  }
  for (const std::shared_ptr<WatchReactor>& stream : streams) {
    stream->end(absl::UnavailableError("kilnd is stopping; the job is kept and resumed"));
  }
}

void Service::set_gc(const db::GcPolicy& gc) {
  std::lock_guard lock(mutex_);
  gc_ = gc;
}

Status Service::stopping() {
  return absl::UnavailableError("kilnd is stopping");
}

Status Service::admit(const google::protobuf::Message& request) const {
  if (draining_) return stopping();
  return check_request(request);
}

StatusOr<Problem> Service::problem(const v1::Problem& message) const {
  KILN_ASSIGN_OR_RETURN(const Family* family, engine_.family(message.family()));
  KILN_ASSIGN_OR_RETURN(const proto::Fields fields, proto::fields_of(message, family->schema()));
  return engine_.problem(message.family(), fields);
}

void Service::add(std::shared_ptr<WatchReactor> stream) {
  std::lock_guard lock(mutex_);
  streams_.insert(std::move(stream));
}

void Service::remove(const std::shared_ptr<WatchReactor>& stream) {
  std::lock_guard lock(mutex_);
  streams_.erase(stream);
}

}  // namespace kiln::server
