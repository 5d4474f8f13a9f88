#include "runtime/host/cgroup.h"

#include "tests/runtime/small_kernel.h"

namespace kiln::runtime {
namespace {

// A made-up file system.
class Root {
 public:
  void file(const std::string& path, const std::string& text) {
    const std::filesystem::path full = directory_.path() + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  Cgroup cgroup() const { return Cgroup(directory_.path()); }

 private:
  test::TemporaryDirectory directory_;
};

Root version_2() {
  Root root;
  root.file("/proc/self/cgroup", "0::/user.slice/job\n");
  root.file("/proc/self/mountinfo",
            "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
  return root;
}

Root version_1() {
  Root root;
  root.file("/proc/self/cgroup", "5:memory:/box/me\n4:cpu,cpuacct:/box/me\n0::/\n");
  root.file("/proc/self/mountinfo",
            "32 31 0:29 /box /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
            "35 31 0:32 /box /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  return root;
}

TEST_CASE("Without control groups nothing is limited") {
  Root root;
  CHECK_FALSE(root.cgroup().cpu_quota());
  CHECK_FALSE(root.cgroup().memory_limit());
}

TEST_CASE("Version 2: the smallest limit on the way to the root holds") {
  Root root = version_2();
  root.file("/sys/fs/cgroup/user.slice/job/cpu.max", "max 100000\n");
  root.file("/sys/fs/cgroup/user.slice/job/memory.max", "max\n");
  CHECK_FALSE(root.cgroup().cpu_quota());
  CHECK_FALSE(root.cgroup().memory_limit());
  root.file("/sys/fs/cgroup/user.slice/cpu.max", "150000 100000\n");
  root.file("/sys/fs/cgroup/user.slice/memory.max", "1073741824\n");
  CHECK(root.cgroup().cpu_quota() == 1.5);
  CHECK(root.cgroup().memory_limit() == 1 << 30);
}

TEST_CASE("Version 1: a container sees its own part of the tree") {
  Root root = version_1();
  root.file("/sys/fs/cgroup/cpu,cpuacct/me/cpu.cfs_quota_us", "-1\n");
  root.file("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n");
  root.file("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  root.file("/sys/fs/cgroup/memory/me/memory.limit_in_bytes", "9223372036854771712\n");
  root.file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "4096000\n");
  CHECK(root.cgroup().cpu_quota() == 0.5);
  CHECK(root.cgroup().memory_limit() == 4096000);
}

TEST_CASE("What cannot be understood is no limit") {
  Root root = version_2();
  root.file("/sys/fs/cgroup/user.slice/job/cpu.max", "lots of it\n");
  root.file("/sys/fs/cgroup/user.slice/job/memory.max", "-5\n");
  root.file("/sys/fs/cgroup/cpu.max", "100000 0\n");
  CHECK_FALSE(root.cgroup().cpu_quota());
  CHECK_FALSE(root.cgroup().memory_limit());
}

}  // namespace
}  // namespace kiln::runtime
