#include "core/measurement.h"

namespace kiln {
namespace {

constexpr std::pair<Verdict, std::string_view> kVerdicts[] = {
    {Verdict::kOk, "ok"},
    {Verdict::kCompileFailed, "compile_failed"},
    {Verdict::kCrashed, "crashed"},
    {Verdict::kTimedOut, "timed_out"},
    {Verdict::kOutOfBounds, "out_of_bounds"},
    {Verdict::kNotFinite, "not_finite"},
    {Verdict::kWrong, "wrong"},
    {Verdict::kFailed, "failed"},
    {Verdict::kDroppedEarly, "dropped_early"},
};

}  // namespace

std::string_view name_of(Verdict verdict) {
  for (const auto& [value, name] : kVerdicts) {
    if (value == verdict) return name;
  }
  return "";
}

std::optional<Verdict> parse_verdict(std::string_view name) {
  for (const auto& [value, known] : kVerdicts) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::string_view name_of(CachePolicy policy) {
  return policy == CachePolicy::kCold ? "cold" : "warm";
}

}  // namespace kiln
