#include "client/tunectl/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "client/tunectl/text.h"
#include "client/tunectl/units.h"

namespace kiln::tunectl {
namespace {

constexpr int kBarWidth = 20;
constexpr absl::Duration kLineInterval = absl::Seconds(5);

double seconds_of(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + 1e-9 * duration.nanos();
}

std::string phase_text(const v1::Job& job) {
  if (job.state() == v1::Job::STATE_QUEUED) return "waiting in the queue";
  const v1::Progress& progress = job.progress();
  if (progress.waiting_for_idle()) return "waiting for an idle machine";
  switch (progress.phase()) {
    case v1::Progress::PHASE_SEARCHING:
      return "searching";
    case v1::Progress::PHASE_REMATCH:
      return "final of the best";
    case v1::Progress::PHASE_VERIFYING:
      return "verifying";
    default:
      return "preparing";
  }
}

// Of the time that tuning takes, by the service's estimate; below 0: not known.
double fraction_done(const v1::Progress& progress) {
  if (!progress.has_remaining()) return -1;
  const double elapsed = seconds_of(progress.elapsed());
  const double total = elapsed + std::max(seconds_of(progress.remaining()), 0.0);
  return total > 0 ? std::clamp(elapsed / total, 0.0, 1.0) : -1;
}

std::string bar(double fraction) {
  const int full = static_cast<int>(std::lround(std::clamp(fraction, 0.0, 1.0) * kBarWidth));
  std::string text = "▕";
  for (int i = 0; i < kBarWidth; ++i)
    text += i < full ? "█" : "·";
  return fmt::format("{}▏{:3.0f} %", text, 100 * std::max(fraction, 0.0));
}

std::string counts_text(const v1::Progress& progress) {
  int64_t rejected = 0;
  for (const auto& entry : progress.rejected())
    rejected += entry.count();
  std::string text = fmt::format("{} measured", progress.measured());
  if (progress.space_size() > 0) {
    text += fmt::format(" of {}", count_text(progress.space_size()));
  }
  if (rejected > 0) text += fmt::format(", {} rejected", rejected);
  return text;
}

std::string best_text(const v1::Progress& progress) {
  if (!(progress.best_ns() > 0)) return "";
  std::string text = fmt::format("best {}", time_text(progress.best_ns()));
  if (progress.default_ns() > 0) {
    text +=
        fmt::format(" ({} the default)", ratio_text(progress.default_ns() / progress.best_ns()));
  }
  return text;
}

std::string left_text(const v1::Progress& progress) {
  if (!progress.has_remaining()) {
    return progress.has_elapsed() ? span_text(seconds_of(progress.elapsed())) : "";
  }
  return fmt::format("{} left", span_text(seconds_of(progress.remaining())));
}

}  // namespace

std::string progress_line(const v1::Job& job, int columns) {
  const v1::Progress& progress = job.progress();
  const bool searching = job.state() == v1::Job::STATE_RUNNING;
  std::vector<std::string> parts = {phase_text(job)};
  if (searching) {
    const double fraction = fraction_done(progress);
    // By what is missed least when it does not fit: last.
    for (std::string part : {columns > 0 && fraction >= 0 ? bar(fraction) : "", left_text(progress),
                             best_text(progress), counts_text(progress)}) {
      if (!part.empty()) parts.push_back(std::move(part));
    }
  }
  std::string line;
  for (const std::string& part : parts) {
    const std::string longer = line.empty() ? part : fmt::format("{}  {}", line, part);
    if (columns > 0 && display_width(longer) > columns - 1) continue;
    line = longer;
  }
  return line.empty() ? cut(parts.front(), columns - 1) : line;
}

void ProgressPrinter::update(const v1::Job& job) {
  if (job.progress().phase() == v1::Progress::PHASE_DONE) return;  // the result follows
  if (terminal_.redraws()) {
    terminal_.redraw(progress_line(job, std::max(terminal_.columns(), 1)));
    return;
  }
  const std::string phase = phase_text(job);
  const absl::Time now = clock_();
  // Either way: a clock that is set back must not silence the lines.
  if (phase == last_phase_ && absl::AbsDuration(now - last_line_) < kLineInterval) return;
  last_phase_ = phase;
  last_line_ = now;
  terminal_.write(fmt::format("{}\n", progress_line(job, 0)));
  terminal_.flush();
}

void ProgressPrinter::finish() {
  terminal_.clear_line();
  last_phase_.clear();
  last_line_ = absl::InfinitePast();
}

}  // namespace kiln::tunectl
