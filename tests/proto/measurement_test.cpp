// Measurements, times and failures on the wire.

#include "proto/measurement.h"

#include <catch2/catch.hpp>

#include "proto/status.h"

namespace kiln::proto {
namespace {

Measurement measurement() {
  Measurement measurement;
  measurement.config = Config({{"block", 32}});
  measurement.verdict = Verdict::kWrong;
  measurement.diagnostics = "o[3] is 1, expected 2";
  measurement.timing = {.median_ns = 5,
                        .minimum_ns = 4,
                        .p10_ns = 4.5,
                        .p90_ns = 7,
                        .median_low_ns = 4.9,
                        .median_high_ns = 5.1,
                        .samples = 30,
                        .probe_ratio = 0.9,
                        .peak_fraction = 0.8,
                        .noisy = true};
  measurement.verification = {.seeds = 2,
                              .units = 10,
                              .units_total = 20,
                              .worst_error = 0.25,
                              .worst_absolute = 1e-6,
                              .problem = "sample rows=1"};
  measurement.cache = CachePolicy::kWarm;
  measurement.compile_ms = 165;
  measurement.artifact_hash = "0123";
  measurement.code_identity = "4567";
  measurement.toolchain = "clang 19";
  measurement.unix_ns = 1'700'000'000'123'456'789;
  return measurement;
}

}  // namespace

TEST_CASE("a measurement comes back") {
  const v1::Measurement message = to_message(measurement());
  const auto back = from_message(message);
  REQUIRE(back.ok());
  CHECK(back->config == measurement().config);
  CHECK(back->verdict == Verdict::kWrong);
  CHECK(back->timing.p90_ns == 7);
  CHECK(back->timing.noisy);
  CHECK(back->verification.worst_error == 0.25);
  CHECK(back->verification.problem == "sample rows=1");
  CHECK(back->cache == CachePolicy::kWarm);
  CHECK(back->unix_ns == measurement().unix_ns);
  CHECK(to_message(*back).SerializeAsString() == message.SerializeAsString());
}

TEST_CASE("verdicts and cache policies of another version are refused") {
  v1::Measurement message = to_message(measurement());
  for (const int verdict : {-1, 0, int(v1::VERDICT_DROPPED_EARLY) + 1}) {
    message.set_verdict(v1::Verdict(verdict));
    CHECK(absl::IsInvalidArgument(from_message(message).status()));
  }
  message = to_message(measurement());
  message.set_cache(v1::CachePolicy(3));
  CHECK(absl::IsInvalidArgument(from_message(message).status()));
  message.set_cache(v1::CACHE_POLICY_UNSPECIFIED);
  CHECK(from_message(message)->cache == CachePolicy::kCold);
}

TEST_CASE("times come back to the nanosecond, also before 1970; others saturate") {
  for (const int64_t ns :
       {int64_t{1}, int64_t{1'700'000'000'999'999'999}, int64_t{-1}, int64_t{-1'500'000'000}}) {
    const auto time = to_timestamp(ns);
    CHECK(time.nanos() >= 0);
    CHECK(to_unix_ns(time) == ns);
  }
  google::protobuf::Timestamp far;
  far.set_seconds(INT64_MAX);
  far.set_nanos(999'999'999);
  CHECK(to_unix_ns(far) == INT64_MAX);
  far.set_seconds(INT64_MIN);
  CHECK(to_unix_ns(far) == INT64_MIN);
  CHECK_FALSE(to_message(Measurement()).has_measured_at());
}

TEST_CASE("a failure keeps code, message and the field at fault") {
  CHECK(from_grpc(to_grpc(absl::OkStatus())).ok());
  const Status plain = absl::UnavailableError("no compiler");
  CHECK(from_grpc(to_grpc(plain)) == plain);

  const Status bad =
      invalid_field("head_dim", "60", "a multiple of 8", absl::StatusCode::kFailedPrecondition);
  const Status back = from_grpc(to_grpc(bad));
  CHECK(back.code() == bad.code());
  CHECK(back.message() == bad.message());
  const auto violation = field_violation(back);
  REQUIRE(violation);
  CHECK(violation->field == "head_dim");
  CHECK(violation->value == "60");
  CHECK(violation->expected == "a multiple of 8");
}

TEST_CASE("a failure from elsewhere is taken as far as it reads, and a long one is cut") {
  const grpc::Status foreign(grpc::StatusCode::INTERNAL, "oops", "not a google.rpc.Status");
  CHECK(from_grpc(foreign) == absl::InternalError("oops"));
  const grpc::Status cut = to_grpc(absl::InternalError(std::string(100'000, 'x')));
  CHECK(cut.error_message().size() < 4096);
  CHECK(cut.error_details().size() < 8192);
}

}  // namespace kiln::proto
