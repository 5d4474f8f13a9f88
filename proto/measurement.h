// Measurements and times as messages, and back.

#pragma once

#include <cstdint>

#include "core/measurement.h"
#include "core/status.h"
#include "google/protobuf/timestamp.pb.h"
#include "kiln/v1/measurement.pb.h"

namespace kiln::proto {

v1::Verdict to_message(Verdict verdict);
v1::CachePolicy to_message(CachePolicy policy);
// Unspecified is cold; INVALID_ARGUMENT for a value this version does not know.
StatusOr<CachePolicy> from_message(v1::CachePolicy policy);

v1::Measurement to_message(const Measurement& measurement);
StatusOr<Measurement> from_message(const v1::Measurement& measurement);

// Nanoseconds since 1970; 0 is "never" and converts to an absent time.
google::protobuf::Timestamp to_timestamp(int64_t unix_ns);
int64_t to_unix_ns(const google::protobuf::Timestamp& time);

}  // namespace kiln::proto
