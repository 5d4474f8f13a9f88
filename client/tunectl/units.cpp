#include "client/tunectl/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "absl/time/time.h"

namespace kiln::tunectl {
namespace {

constexpr std::string_view kNothing = "–";

// Three significant digits without an exponent; whole numbers from 100 on.
std::string three_digits(double value) {
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}", value, decimals);
}

// `value` in the largest unit in which it is at least one; each unit is `step` of the one before.
template <size_t N>
std::string scaled(double value, double step, const std::array<std::string_view, N>& units) {
  size_t unit = 0;
  // A value that would be rounded up to `step` belongs to the next unit.
  while (unit + 1 < N && value >= step - 0.5) {
    value /= step;
    ++unit;
  }
  const bool whole = unit == 0 && value == std::floor(value);
  return fmt::format("{} {}", whole ? fmt::format("{:.0f}", value) : three_digits(value),
                     units[unit]);
}

}  // namespace

std::string time_text(double nanoseconds) {
  if (!(nanoseconds > 0)) return std::string(kNothing);
  return scaled(nanoseconds, 1000, std::array<std::string_view, 4>{"ns", "µs", "ms", "s"});
}

std::string bytes_text(double bytes) {
  return scaled(std::max(bytes, 0.0), 1024,
                std::array<std::string_view, 5>{"B", "KiB", "MiB", "GiB", "TiB"});
}

std::string rate_text(double per_second, char kind) {
  if (!(per_second > 0) || !std::isfinite(per_second)) return std::string(kNothing);
  return fmt::format("{}{}", three_digits(per_second * 1e-9), kind == 'b' ? " GB/s" : " GFLOP/s");
}

std::string percent_text(double fraction) {
  if (!(fraction > 0)) return std::string(kNothing);
  return fmt::format("{:.1f} %", 100 * fraction);
}

std::string ratio_text(double ratio) {
  if (!(ratio > 0) || !std::isfinite(ratio)) return std::string(kNothing);
  return fmt::format("{}×", three_digits(ratio));
}

std::string count_text(int64_t count) {
  std::string digits = std::to_string(count);
  const size_t first = count < 0 ? 1 : 0;
  for (size_t i = digits.size(); i > first + 3;)
    digits.insert(i -= 3, ",");
  return digits;
}

std::string counted_text(int64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count_text(count), noun, count == 1 ? "" : "s");
}

std::string span_text(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(std::clamp(seconds, 0.0, 1e9)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string moment_text(int64_t unix_seconds) {
  if (unix_seconds <= 0) return std::string(kNothing);
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixSeconds(unix_seconds),
                          absl::LocalTimeZone());
}

std::string ago_text(int64_t unix_seconds, int64_t now) {
  if (unix_seconds <= 0) return std::string(kNothing);
  const int64_t seconds = std::max<int64_t>(now - unix_seconds, 0);  // clocks may differ
  if (seconds < 60) return fmt::format("{} s ago", seconds);
  if (seconds < 3600) return fmt::format("{} min ago", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h ago", seconds / 3600);
  return fmt::format("{} days ago", seconds / 86400);
}

}  // namespace kiln::tunectl
