// Bounds on what a request may hold, checked before anything is made of it.

#pragma once

#include <google/protobuf/message.h>

#include "core/status.h"

namespace kiln::server {

inline constexpr int kMaxRequestBytes = 4 << 20;  // refused by gRPC: RESOURCE_EXHAUSTED
inline constexpr size_t kMaxStringBytes = 1024;
inline constexpr int kMaxEntries = 1024;  // of a repeated field

// INVALID_ARGUMENT naming the path ("problem.fields[3].name") of a string, list, number or
// enumeration that no valid request holds. Unknown fields pass: newer clients may send them.
Status check_request(const google::protobuf::Message& request);

}  // namespace kiln::server
