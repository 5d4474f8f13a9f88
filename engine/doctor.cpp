// doctor: what works on this machine, what is missing and how to get it.

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "devices/gpu/gpu_findings.h"
#include "engine/local_engine.h"

namespace kiln::engine {
namespace {

constexpr int64_t kLittleSpace = 1ll << 30;
constexpr double kBusyLoad = 0.5;  // a processor; tuning beside it measures noise

Diagnosis state_directory_line(const std::string& path) {
  Diagnosis line{.subject = "state directory", .ok = false, .found = path, .remedy = ""};
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    line.remedy = "choose a directory that this user can write";
    return line;
  }
  line.found = fmt::format("{}, mode {:04o}", path, unsigned(status.st_mode & 07777));
  if (::access(path.c_str(), W_OK) != 0) {
    line.remedy = "make it writable for this user, or choose another: nothing is kept meanwhile";
  } else if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    line.remedy = fmt::format("others can write it and so run code as you: chmod 700 {}", path);
  } else {
    line.ok = true;
  }
  return line;
}

Diagnosis free_space_line(const std::string& path) {
  Diagnosis line{.subject = "free space", .ok = false, .found = "unknown", .remedy = ""};
  struct statvfs system{};
  if (::statvfs(path.c_str(), &system) == 0) {
    const int64_t bytes = int64_t(system.f_bavail) * int64_t(system.f_frsize);
    line.found = fmt::format("{:.1f} GiB below {}", double(bytes) / double(1 << 30), path);
    line.ok = bytes >= kLittleSpace;
  }
  if (!line.ok) line.remedy = "free some space, or lower the bounds of gc (tunectl gc)";
  return line;
}

Diagnosis database_line(const db::StoreHealth& health) {
  Diagnosis line{.subject = "database", .ok = false, .found = "", .remedy = ""};
  line.found = fmt::format("{} damaged rows, {} damaged artifacts, {} failed writes since start",
                           health.damaged_rows, health.damaged_artifacts, health.failed_writes);
  if (!health.quarantined.empty()) {
    line.found += fmt::format("; a damaged database was set aside as {}", health.quarantined);
    line.remedy = "what could be read was carried over; check the disk, then remove that file";
  } else if (health.failed_writes > 0) {
    line.remedy = "see the log for the reason: a full disk, a read-only file system";
  } else if (health.damaged_rows + health.damaged_artifacts > 0) {
    line.remedy = "damaged parts are ignored and tuned again; check the disk";
  } else {
    line.ok = true;
  }
  return line;
}

Diagnosis load_line() {
  Diagnosis line{.subject = "load", .ok = true, .found = "unknown", .remedy = ""};
  double load = 0;
  const double processors = std::max(1u, std::thread::hardware_concurrency());
  if (::getloadavg(&load, 1) != 1) return line;
  line.found = fmt::format("{:.2f} a processor over the last minute", load / processors);
  if (load / processors > kBusyLoad) {
    line.remedy = "stop other work while tuning: measurements beside it are noisy";
  }
  return line;
}

void add_device_lines(const ServedDevice& device, std::vector<Diagnosis>& lines) {
  const Target& target = device.target();
  lines.push_back(
      {.subject = fmt::format("device {}", device.name()),
       .ok = true,
       .found = fmt::format("{}, {} threads, {:.1f} GiB for problems", device.fingerprint_text(),
                            target.threads, double(target.memory_bytes) / double(1 << 30)),
       .remedy = ""});
  Diagnosis compiler{.subject = fmt::format("compiler of {}", device.name()),
                     .ok = device.toolchain().ok(),
                     .found = "none",
                     .remedy = ""};
  if (compiler.ok) {
    compiler.found = *device.toolchain();
  } else {
    compiler.remedy = std::string(device.toolchain().status().message());
  }
  lines.push_back(compiler);
  const auto tuner = device.tuner();
  Diagnosis worker{.subject = fmt::format("worker of {}", device.name()),
                   .ok = tuner.ok(),
                   .found = tuner.ok() ? "running" : "none",
                   .remedy = ""};
  if (!worker.ok) worker.remedy = std::string(tuner.status().message());
  lines.push_back(worker);
  if (target.kind != "host") return;
  Diagnosis vectors{.subject = fmt::format("instruction set of {}", device.name()),
                    .ok = true,
                    .found = target.architecture,
                    .remedy = ""};
  if (target.architecture == "baseline") {
    vectors.remedy =
        "results are right but slow; AVX2 or AVX-512 is a matter of the processor, "
        "or of the virtual machine's configuration";
  }
  lines.push_back(vectors);
  const auto processors = std::thread::hardware_concurrency();
  if (target.threads < int(processors)) {
    lines.push_back({.subject = fmt::format("processors of {}", device.name()),
                     .ok = true,
                     .found = fmt::format("{} of {}", target.threads, processors),
                     .remedy = "an affinity mask or a control group's quota holds back the rest; "
                               "winners are kept apart by the number of threads"});
  }
}

}  // namespace

std::vector<Diagnosis> LocalEngine::doctor() {
  std::vector<Diagnosis> lines;
  for (const auto& device : devices_)
    add_device_lines(*device, lines);
  lines.push_back(state_directory_line(options_.state_directory));
  lines.push_back(free_space_line(options_.state_directory));
  lines.push_back(database_line(store_->health()));
  lines.push_back(load_line());
  for (devices::GpuFinding& finding : devices::find_gpu_support()) {
    lines.push_back({.subject = std::move(finding.subject),
                     .ok = finding.ok,
                     .found = std::move(finding.found),
                     .remedy = std::move(finding.remedy)});
  }
  return lines;
}

}  // namespace kiln::engine
