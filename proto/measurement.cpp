#include "proto/measurement.h"

#include "absl/strings/str_cat.h"
#include "proto/problem.h"

namespace kiln::proto {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

void fill(v1::Timing& out, const Timing& timing) {
  out.set_median_ns(timing.median_ns);
  out.set_minimum_ns(timing.minimum_ns);
  out.set_p10_ns(timing.p10_ns);
  out.set_p90_ns(timing.p90_ns);
  out.set_median_low_ns(timing.median_low_ns);
  out.set_median_high_ns(timing.median_high_ns);
  out.set_samples(timing.samples);
  out.set_probe_ratio(timing.probe_ratio);
  out.set_peak_fraction(timing.peak_fraction);
  out.set_noisy(timing.noisy);
}

Timing from_message(const v1::Timing& message) {
  Timing timing;
  timing.median_ns = message.median_ns();
  timing.minimum_ns = message.minimum_ns();
  timing.p10_ns = message.p10_ns();
  timing.p90_ns = message.p90_ns();
  timing.median_low_ns = message.median_low_ns();
  timing.median_high_ns = message.median_high_ns();
  timing.samples = message.samples();
  timing.probe_ratio = message.probe_ratio();
  timing.peak_fraction = message.peak_fraction();
  timing.noisy = message.noisy();
  return timing;
}

void fill(v1::Verification& out, const Verification& verification) {
  out.set_seeds(verification.seeds);
  out.set_units(verification.units);
  out.set_units_total(verification.units_total);
  out.set_worst_error(verification.worst_error);
  out.set_worst_absolute(verification.worst_absolute);
  out.set_problem(verification.problem);
}

Verification from_message(const v1::Verification& message) {
  Verification verification;
  verification.seeds = message.seeds();
  verification.units = message.units();
  verification.units_total = message.units_total();
  verification.worst_error = message.worst_error();
  verification.worst_absolute = message.worst_absolute();
  verification.problem = message.problem();
  return verification;
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
  fill(*message.mutable_timing(), measurement.timing);
  fill(*message.mutable_verification(), measurement.verification);
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
  return time.seconds() * kNanosecondsPerSecond + time.nanos();
}

}  // namespace kiln::proto
