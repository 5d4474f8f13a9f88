#include "client/tunectl/budget.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

namespace kiln::tunectl {
namespace {

constexpr char kExpected[] =
    "a time (20s, 500ms, 2m), evaluations (200e), a part of the peak (90%), or several with commas";
constexpr absl::Duration kLongest = absl::Hours(24);

}  // namespace

StatusOr<google::protobuf::Duration> parse_duration(std::string_view option,
                                                    std::string_view text) {
  absl::Duration duration;
  if (!absl::ParseDuration(std::string(text), &duration) || duration <= absl::ZeroDuration() ||
      duration > kLongest) {
    return invalid_field(option, text, "a time of at most 24h, for example 5s or 500ms");
  }
  google::protobuf::Duration message;
  message.set_seconds(absl::ToInt64Seconds(duration));
  message.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(duration - absl::Seconds(absl::ToInt64Seconds(duration)))));
  return message;
}

StatusOr<v1::Budget> parse_budget(std::string_view text) {
  v1::Budget budget;
  const std::vector<std::string> parts = absl::StrSplit(std::string(text), ',');
  for (const std::string& part : parts) {
    const std::string number = part.substr(0, part.empty() ? 0 : part.size() - 1);
    int64_t evaluations = 0;
    double percent = 0;
    if (!part.empty() && part.back() == 'e' && absl::SimpleAtoi(number, &evaluations) &&
        evaluations > 0) {
      budget.set_evaluations(evaluations);
    } else if (!part.empty() && part.back() == '%' && absl::SimpleAtod(number, &percent) &&
               percent > 0 && percent <= 100) {
      budget.set_peak_fraction(percent / 100);
    } else {
      const auto time = parse_duration("--budget", part);
      if (!time.ok()) return invalid_field("--budget", text, kExpected);
      *budget.mutable_time() = *time;
    }
  }
  return budget;
}

}  // namespace kiln::tunectl
