#include "runtime/host/cgroup.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace kiln::runtime {
namespace {

// Version 1 writes "no limit" of memory as a number next to the largest.
constexpr int64_t kNoMemoryLimit = int64_t{1} << 60;

struct Hierarchy {
  std::string mount;  // where it is mounted
  std::string base;   // the group that the mount shows as its root
  std::string path;   // this process's group
};

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    lines.push_back(line);
  return lines;
}

std::string first_line(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

// The hierarchy of a version 1 controller, or of version 2 when `controller` is empty.
std::optional<Hierarchy> find_hierarchy(const std::string& root, std::string_view controller) {
  Hierarchy found;
  for (const std::string& line : lines_of(root + "/proc/self/cgroup")) {
    // "4:cpu,cpuacct:/user.slice" or "0::/user.slice"
    std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    std::vector<std::string> names = absl::StrSplit(parts[1], ',');
    const bool mine = controller.empty() ? parts[0] == "0" && parts[1].empty()
                                         : std::ranges::count(names, controller) > 0;
    if (mine) found.path = parts[2];
  }
  if (found.path.empty()) return std::nullopt;
  for (const std::string& line : lines_of(root + "/proc/self/mountinfo")) {
    // "32 31 0:29 /base /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu"
    std::vector<std::string> halves = absl::StrSplit(line, absl::MaxSplits(" - ", 1));
    if (halves.size() != 2) continue;
    std::vector<std::string> place = absl::StrSplit(halves[0], ' ');
    std::vector<std::string> type = absl::StrSplit(halves[1], ' ');
    if (place.size() < 5 || type.size() < 3) continue;
    std::vector<std::string> options = absl::StrSplit(type[2], ',');
    const bool mine = controller.empty()
                          ? type[0] == "cgroup2"
                          : type[0] == "cgroup" && std::ranges::count(options, controller) > 0;
    if (!mine) continue;
    found.base = place[3];
    found.mount = place[4];
    return found;
  }
  return std::nullopt;
}

// Calls `visit` with the folder of this process's group and of each group above it.
void for_each_group(const std::string& root, std::string_view controller,
                    const std::function<void(const std::string&)>& visit) {
  std::optional<Hierarchy> hierarchy = find_hierarchy(root, controller);
  if (!hierarchy) return;
  std::string path = hierarchy->path;
  // Inside a container the mount shows only the container's own part of the tree.
  if (hierarchy->base != "/" && path.starts_with(hierarchy->base)) {
    path.erase(0, hierarchy->base.size());
  }
  while (!path.empty() && path != "/") {
    visit(root + hierarchy->mount + path);
    path.erase(path.find_last_of('/'));
  }
  visit(root + hierarchy->mount);
}

template <class T>
void lower(std::optional<T>& limit, T candidate) {
  limit = limit ? std::min(*limit, candidate) : candidate;
}

}  // namespace

std::optional<double> Cgroup::cpu_quota() const {
  std::optional<double> quota;
  auto take = [&](double time, double period) {
    if (time > 0 && period > 0) lower(quota, time / period);
  };
  for_each_group(root_, "", [&](const std::string& group) {
    std::vector<std::string> words = absl::StrSplit(first_line(group + "/cpu.max"), ' ');
    double time, period;
    if (words.size() == 2 && absl::SimpleAtod(words[0], &time) &&
        absl::SimpleAtod(words[1], &period)) {
      take(time, period);
    }
  });
  for_each_group(root_, "cpu", [&](const std::string& group) {
    double time, period;
    if (absl::SimpleAtod(first_line(group + "/cpu.cfs_quota_us"), &time) &&
        absl::SimpleAtod(first_line(group + "/cpu.cfs_period_us"), &period)) {
      take(time, period);
    }
  });
  return quota;
}

std::optional<int64_t> Cgroup::memory_limit() const {
  std::optional<int64_t> limit;
  auto take = [&](const std::string& file) {
    int64_t bytes;
    if (absl::SimpleAtoi(first_line(file), &bytes) && bytes > 0 && bytes < kNoMemoryLimit) {
      lower(limit, bytes);
    }
  };
  for_each_group(root_, "", [&](const std::string& group) { take(group + "/memory.max"); });
  for_each_group(root_, "memory",
                 [&](const std::string& group) { take(group + "/memory.limit_in_bytes"); });
  return limit;
}

}  // namespace kiln::runtime
