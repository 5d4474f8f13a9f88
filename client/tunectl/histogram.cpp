#include "client/tunectl/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "client/tunectl/text.h"
#include "client/tunectl/units.h"

namespace kiln::tunectl {
namespace {

constexpr int kMostBins = 14;
constexpr double kLeastBinRatio = 1.02;  // narrower bins would show noise
constexpr int kLongestBar = 50;
constexpr int kShortestBar = 10;
constexpr int kOtherColumns = 30;  // label, count, mark
constexpr int kLabelWidth = 10;

struct Bins {
  double lowest;
  double ratio;  // a bin's upper end over its lower one
  int count;

  double lower(int bin) const { return lowest * std::pow(ratio, bin); }
  int of(double time) const {
    const double position = std::log(time / lowest) / std::log(ratio);
    return std::clamp(static_cast<int>(position), 0, count - 1);
  }
};

Bins bins_for(double lowest, double highest) {
  const double span = highest / lowest;
  const double ratio = std::max(std::pow(span, 1.0 / kMostBins), kLeastBinRatio);
  const int count =
      std::clamp(static_cast<int>(std::log(span) / std::log(ratio)) + 1, 1, kMostBins);
  return {lowest, ratio, count};
}

std::string bar(double length) {
  static constexpr std::string_view kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = std::max(static_cast<int>(std::lround(length * 8)), 1);
  std::string text;
  for (int i = 0; i < eighths / 8; ++i)
    text += "█";
  return fmt::format("{}{}", text, kEighths[eighths % 8]);
}

}  // namespace

std::string time_histogram(const Terminal& terminal, const std::vector<double>& nanoseconds,
                           const std::vector<std::pair<double, std::string>>& marks) {
  std::vector<double> times;
  std::copy_if(nanoseconds.begin(), nanoseconds.end(), std::back_inserter(times),
               [](double time) { return time > 0 && std::isfinite(time); });
  if (times.empty()) return "";
  const auto [lowest, highest] = std::minmax_element(times.begin(), times.end());
  const Bins bins = bins_for(*lowest, *highest);
  std::vector<int> counts(bins.count);
  for (const double time : times)
    ++counts[bins.of(time)];
  std::vector<std::string> named(bins.count);
  for (const auto& [time, name] : marks) {
    if (!(time > 0)) continue;
    named[bins.of(time)] += fmt::format("  ← {}", name);
  }

  const int columns = terminal.columns();
  const int longest =
      columns > 0 ? std::clamp(columns - kOtherColumns, kShortestBar, kLongestBar) : kLongestBar;
  const int most = *std::max_element(counts.begin(), counts.end());
  std::string out;
  for (int i = 0; i < bins.count; ++i) {
    const std::string label = time_text(bins.lower(i));
    out += fmt::format("{}{}", std::string(std::max(kLabelWidth - display_width(label), 0), ' '),
                       label);
    if (counts[i] > 0) {
      out += fmt::format(" {} {}", bar(static_cast<double>(longest) * counts[i] / most), counts[i]);
    }
    out += fmt::format("{}\n", named[i]);
  }
  return out;
}

}  // namespace kiln::tunectl
