#include "tuner/load_meter.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace kiln::tuner {

using std::chrono::duration;
using std::chrono::steady_clock;

namespace {

constexpr duration<double> kWindow{1.0};

}  // namespace

LoadMeter::LoadMeter(OwnTime own, std::string stat_file)
    : own_(std::move(own)), stat_file_(std::move(stat_file)) {}

std::optional<double> LoadMeter::read_busy_seconds() {
  std::ifstream file(stat_file_);
  std::string line;
  std::optional<double> busy;
  int processors = 0;
  while (std::getline(file, line) && line.rfind("cpu", 0) == 0) {
    std::istringstream fields(line);
    std::string name;
    double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0;
    fields >> name >> user >> nice >> system >> idle >> wait >> irq >> softirq >> steal;
    if (name == "cpu") {
      // What a hypervisor gives to others is as much in the way as what neighbours use.
      busy = (user + nice + system + irq + softirq + steal) / double(sysconf(_SC_CLK_TCK));
    } else {
      ++processors;
    }
  }
  processors_ = std::max(processors, 1);
  return busy;
}

std::optional<double> LoadMeter::look() {
  const auto busy = read_busy_seconds();
  if (!busy) return 0.0;
  const Look now{steady_clock::now(), *busy, duration<double>(own_()).count()};
  std::optional<double> load;
  while (!looks_.empty() && now.when - looks_.front().when >= kWindow) {
    const Look& then = looks_.front();
    const double seconds = duration<double>(now.when - then.when).count();
    const double others =
        (now.busy_seconds - then.busy_seconds) - (now.own_seconds - then.own_seconds);
    load = std::clamp(others / (seconds * processors_), 0.0, 1.0);
    looks_.pop_front();
  }
  looks_.push_back(now);
  return load;
}

}  // namespace kiln::tuner
