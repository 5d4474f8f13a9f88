// What is known about one variant on one problem: the unit that is stored.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/space.h"
#include "core/status.h"

namespace kiln {

enum class Verdict : uint8_t {
  kOk,
  kCompileFailed,
  kCrashed,  // signal, or the worker ended
  kTimedOut,
  kOutOfBounds,   // wrote outside its buffers, or into its inputs
  kNotFinite,     // NaN where the reference has none, or an element never written
  kWrong,         // outside the tolerance
  kFailed,        // load or launch refused
  kDroppedEarly,  // correct but clearly behind; times are a lower bound of effort, not final
};

std::string_view name_of(Verdict verdict);  // "ok", "compile_failed", …
std::optional<Verdict> parse_verdict(std::string_view name);

// Cold: buffers rotate through more than four times the last-level cache. Warm: one set.
enum class CachePolicy : uint8_t { kCold, kWarm };
std::string_view name_of(CachePolicy policy);

struct Timing {
  double median_ns = 0;
  double minimum_ns = 0;
  double p10_ns = 0;
  double p90_ns = 0;
  double median_low_ns = 0;  // 95 % confidence interval of the median
  double median_high_ns = 0;
  int samples = 0;
  double probe_ratio = 0;    // momentary peak of the machine (probe in the rotation) / best seen
  double peak_fraction = 0;  // of the momentary peak: FMA rate, or bandwidth when bandwidth-bound
  bool noisy = false;        // interval wider than asked for, or two modes
};

struct Verification {
  int seeds = 0;
  int64_t units = 0;          // reference units compared, over all seeds
  int64_t units_total = 0;    // that the problem has
  double worst_error = 0;     // largest |actual - expected| / tolerance
  double worst_absolute = 0;  // largest |actual - expected|
  std::string problem;        // text of the problem it ran on
};

struct Measurement {
  Config config;
  Verdict verdict = Verdict::kOk;
  std::string diagnostics;  // compiler output, signal, first wrong element
  Timing timing;
  Verification verification;
  CachePolicy cache = CachePolicy::kCold;
  double compile_ms = 0;
  std::string artifact_hash;
  std::string code_identity;
  std::string toolchain;
  int64_t unix_ns = 0;  // when
};

// Where measurements go as they are made. Called from the tuning thread, in order.
class MeasurementSink {
 public:
  virtual ~MeasurementSink() = default;
  virtual Status record(const Measurement& measurement) = 0;
};

}  // namespace kiln
