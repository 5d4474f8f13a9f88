#include "tuner/courtesy.h"

#include <sys/resource.h>

#include <chrono>
#include <thread>

namespace kiln::tuner {

namespace {

constexpr std::chrono::milliseconds kIdlePoll{250};

std::chrono::nanoseconds own_cpu_time(const RunWorker& worker) {
  std::chrono::nanoseconds total = worker.cpu_time();
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage = {};
    getrusage(who, &usage);
    for (const timeval& time : {usage.ru_utime, usage.ru_stime}) {
      total += std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
    }
  }
  return total;
}

}  // namespace

Courtesy::Courtesy(const SearchTask& task, Turn& turn, double idle_load, SearchReport& report,
                   Spending& spending)
    : task_(task),
      turn_(turn),
      idle_load_(idle_load),
      report_(report),
      spending_(spending),
      load_([worker = &task.worker] { return own_cpu_time(*worker); }) {}

Status Courtesy::wait() {
  const auto before = spending_.elapsed();
  KILN_RETURN_IF_ERROR(turn_.yield(task_.stop));
  if (task_.options.priority == Priority::kBackground) {
    // Before the first look is a second old, nothing is known; then wait for that second.
    for (auto load = load_.look(); !load || *load > idle_load_; load = load_.look()) {
      if (task_.stop.stop_requested()) return absl::CancelledError("stopped");
      report_.progress().waiting_for_idle = load.has_value();
      report_.tell(SearchReport::When::kSoon);
      std::this_thread::sleep_for(kIdlePoll);
      KILN_RETURN_IF_ERROR(turn_.yield(task_.stop));
    }
    report_.progress().waiting_for_idle = false;
  }
  spending_.add_pause(spending_.elapsed() - before);
  return absl::OkStatus();
}

}  // namespace kiln::tuner
