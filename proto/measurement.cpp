#include "proto/measurement.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "proto/problem.h"

namespace kiln::proto {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

// Members are called the same in the message: one list serves both ways.
#define KILN_TIMING_MEMBERS(MEMBER) \
  MEMBER(median_ns);                \
  MEMBER(minimum_ns);               \
  MEMBER(p10_ns);                   \
  MEMBER(p90_ns);                   \
  MEMBER(median_low_ns);            \
  MEMBER(median_high_ns);           \
  MEMBER(samples);                  \
  MEMBER(probe_ratio);              \
  MEMBER(peak_fraction);            \
  MEMBER(noisy)
#define KILN_VERIFICATION_MEMBERS(MEMBER) \
  MEMBER(seeds);                          \
  MEMBER(units);                          \
  MEMBER(units_total);                    \
  MEMBER(worst_error);                    \
  MEMBER(worst_absolute);                 \
  MEMBER(problem)

#define KILN_TO_MESSAGE(member) message.set_##member(value.member)
#define KILN_FROM_MESSAGE(member) value.member = message.member()

v1::Timing to_message(const Timing& value) {
  v1::Timing message;
  KILN_TIMING_MEMBERS(KILN_TO_MESSAGE);
  return message;
}

Timing from_message(const v1::Timing& message) {
  Timing value;
  KILN_TIMING_MEMBERS(KILN_FROM_MESSAGE);
  return value;
}

v1::Verification to_message(const Verification& value) {
  v1::Verification message;
  KILN_VERIFICATION_MEMBERS(KILN_TO_MESSAGE);
  return message;
}

Verification from_message(const v1::Verification& message) {
  Verification value;
  KILN_VERIFICATION_MEMBERS(KILN_FROM_MESSAGE);
  return value;
}

}  // namespace

v1::Verdict to_message(Verdict verdict) {
  return v1::Verdict(int(verdict) + 1);
}

v1::CachePolicy to_message(CachePolicy policy) {
  return v1::CachePolicy(int(policy) + 1);
}

StatusOr<CachePolicy> from_message(v1::CachePolicy policy) {
  switch (policy) {
    case v1::CACHE_POLICY_UNSPECIFIED:
    case v1::CACHE_POLICY_COLD:
      return CachePolicy::kCold;
    case v1::CACHE_POLICY_WARM:
      return CachePolicy::kWarm;
    default:
      return invalid_field("cache", absl::StrCat(int(policy)), "cold or warm");
  }
}

v1::Measurement to_message(const Measurement& measurement) {
  v1::Measurement message;
  *message.mutable_config() = to_message(measurement.config);
  message.set_verdict(to_message(measurement.verdict));
  message.set_diagnostics(measurement.diagnostics);
  *message.mutable_timing() = to_message(measurement.timing);
  *message.mutable_verification() = to_message(measurement.verification);
  message.set_cache(to_message(measurement.cache));
  message.set_compile_ms(measurement.compile_ms);
  message.set_artifact_hash(measurement.artifact_hash);
  message.set_code_identity(measurement.code_identity);
  message.set_toolchain(measurement.toolchain);
  if (measurement.unix_ns != 0) {
    *message.mutable_measured_at() = to_timestamp(measurement.unix_ns);
  }
  return message;
}

StatusOr<Measurement> from_message(const v1::Measurement& message) {
  if (message.verdict() < v1::VERDICT_OK || message.verdict() > v1::VERDICT_DROPPED_EARLY) {
    return invalid_field("measurement.verdict", absl::StrCat(int(message.verdict())),
                         "a verdict of this version");
  }
  Measurement measurement;
  measurement.config = from_message(message.config());
  measurement.verdict = Verdict(message.verdict() - 1);
  measurement.diagnostics = message.diagnostics();
  measurement.timing = from_message(message.timing());
  measurement.verification = from_message(message.verification());
  KILN_ASSIGN_OR_RETURN(measurement.cache, from_message(message.cache()));
  measurement.compile_ms = message.compile_ms();
  measurement.artifact_hash = message.artifact_hash();
  measurement.code_identity = message.code_identity();
  measurement.toolchain = message.toolchain();
  measurement.unix_ns = message.has_measured_at() ? to_unix_ns(message.measured_at()) : 0;
  return measurement;
}

google::protobuf::Timestamp to_timestamp(int64_t unix_ns) {
  google::protobuf::Timestamp time;
  int64_t seconds = unix_ns / kNanosecondsPerSecond;
  int64_t nanoseconds = unix_ns % kNanosecondsPerSecond;
  if (nanoseconds < 0) {
    --seconds;
    nanoseconds += kNanosecondsPerSecond;
  }
  time.set_seconds(seconds);
  time.set_nanos(int32_t(nanoseconds));
  return time;
}

int64_t to_unix_ns(const google::protobuf::Timestamp& time) {
  // Saturates: a time outside 1677..2262 has no nanosecond count.
  constexpr int64_t kMaxSeconds = INT64_MAX / kNanosecondsPerSecond - 1;
  if (time.seconds() > kMaxSeconds) return INT64_MAX;
  if (time.seconds() < -kMaxSeconds) return INT64_MIN;
  const int64_t nanoseconds = std::clamp<int64_t>(time.nanos(), 0, kNanosecondsPerSecond - 1);
  return time.seconds() * kNanosecondsPerSecond + nanoseconds;
}

}  // namespace kiln::proto
