// Failures on the wire: canonical codes with google.rpc details in grpc-status-details-bin.
//
// Every failure carries ErrorInfo{reason, domain "kiln"}; reason is INVALID_FIELD when one field is
// at fault, else the code's name. A field at fault travels as BadRequest{field, description: what
// was expected}, its value in ErrorInfo.metadata["value"]. Clients get the same kiln::Status back.

#pragma once

#include <grpcpp/support/status.h>

#include "core/status.h"

namespace kiln::proto {

inline constexpr char kErrorDomain[] = "kiln";

grpc::Status to_grpc(const Status& status);
Status from_grpc(const grpc::Status& status);

}  // namespace kiln::proto
