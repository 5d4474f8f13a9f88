// The frame of every call; included by the service's own files only.

#pragma once

#include "proto/status.h"
#include "server/service.h"

namespace kiln::server {

template <typename Request, typename Call>
grpc::Status Service::answer(const Request& request, Call call) {
  if (Status status = admit(request); !status.ok()) return proto::to_grpc(status);
  return proto::to_grpc(call());
}

}  // namespace kiln::server
