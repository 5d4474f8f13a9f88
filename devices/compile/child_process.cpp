#include "devices/compile/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "devices/host/scheduling.h"

namespace kiln::devices {
namespace {

using Clock = std::chrono::steady_clock;

// How often a child is looked after that has closed its output, or is silent.
constexpr int kIdleTickMs = 50;
constexpr int kEndingTickMs = 1;

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { reset(); }
  void reset() {
    if (number_ >= 0) close(number_);
    number_ = -1;
  }
  int get() const { return number_; }

 private:
  int number_;
};

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts)
    pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

void limit(int resource, int64_t soft, int64_t hard) {
  if (soft <= 0) return;
  const rlimit value{rlim_t(soft), rlim_t(hard)};
  setrlimit(__rlimit_resource_t(resource), &value);
}

struct Launch {
  char* const* arguments;
  char* const* environment;
  const char* directory;
  const ChildLimits* limits;
  int input;
  int output;
  pid_t parent;
  int error = 0;  // of the child, before the program runs
};

// Runs in the child, on the parent's memory: system calls only, no allocation, no return.
[[noreturn]] void become(Launch& launch) {
  // Handlers of the parent must not run here.
  for (int signal_number = 1; signal_number < NSIG; ++signal_number) {
    struct sigaction standard = {};
    standard.sa_handler = SIG_DFL;
    sigaction(signal_number, &standard, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpgid(0, 0);
  if (launch.limits->niceness > 0) give_way(launch.limits->niceness);
  const int64_t seconds = (launch.limits->cpu_time.count() + 999) / 1000;
  limit(RLIMIT_CPU, seconds, seconds + 1);
  limit(RLIMIT_AS, launch.limits->memory_bytes, launch.limits->memory_bytes);
  limit(RLIMIT_FSIZE, launch.limits->file_bytes, launch.limits->file_bytes);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  if (dup2(launch.input, 0) >= 0 && dup2(launch.output, 1) >= 0 && dup2(launch.output, 2) >= 0 &&
      (!launch.directory || chdir(launch.directory) == 0) && getppid() == launch.parent) {
    execve(launch.arguments[0], launch.arguments, launch.environment);
  }
  launch.error = errno;
  _exit(127);
}

// vfork() rather than fork(): the other threads of this process may hold any lock.
pid_t start(Launch& launch) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid =
      vfork();  // NOLINT(bugprone-unsafe-functions): the child makes system calls only
  if (pid == 0) become(launch);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (pid_ > 0) reap();
  }

  bool has_ended() const {
    siginfo_t info = {};
    const int result = waitid(P_PID, id_t(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    return result != 0 || info.si_pid == pid_;
  }
  // Ends the whole group; the leader's number stays taken until it has been waited for.
  int reap() {
    kill(-pid_, SIGKILL);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
};

// Reads until the child has ended and its output too, or until a limit.
ChildResult::End follow(const Child& child, int output, int stop_event, const ChildLimits& limits,
                        std::string& text) {
  const Clock::time_point deadline =
      limits.wall_time.count() > 0 ? Clock::now() + limits.wall_time : Clock::time_point::max();
  bool open = true;
  std::array<char, 4096> buffer;
  while (true) {
    std::array<pollfd, 2> watched = {pollfd{stop_event, POLLIN, 0},
                                     pollfd{open ? output : -1, POLLIN, 0}};
    poll(watched.data(), watched.size(), open ? kIdleTickMs : kEndingTickMs);
    if (watched[0].revents) return ChildResult::End::kStopped;
    if (watched[1].revents) {
      const ssize_t count = read(output, buffer.data(), buffer.size());
      if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) open = false;
      if (count > 0) {
        const size_t room = limits.output_bytes - std::min(limits.output_bytes, text.size());
        text.append(buffer.data(), std::min(size_t(count), room));
      }
    } else if (child.has_ended()) {
      return ChildResult::End::kExited;
    }
    if (Clock::now() >= deadline) return ChildResult::End::kOutOfTime;
  }
}

}  // namespace

StatusOr<ChildResult> run_child(const ChildCommand& command, const ChildLimits& limits,
                                const std::stop_token& stop) {
  const std::string& program = command.arguments.front();
  Descriptor null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  Descriptor stop_event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  std::array<int, 2> ends = {-1, -1};
  if (null.get() < 0 || stop_event.get() < 0 || pipe2(ends.data(), O_CLOEXEC) != 0) {
    return absl::ErrnoToStatus(errno, fmt::format("cannot start {}", program));
  }
  Descriptor output(ends[0]), child_output(ends[1]);

  const std::vector<char*> arguments = pointers_to(command.arguments);
  const std::vector<char*> environment = pointers_to(command.environment);
  Launch launch{.arguments = arguments.data(),
                .environment = environment.data(),
                .directory = command.directory.empty() ? nullptr : command.directory.c_str(),
                .limits = &limits,
                .input = null.get(),
                .output = child_output.get(),
                .parent = getpid()};
  const pid_t pid = start(launch);
  if (pid < 0) return absl::ErrnoToStatus(errno, fmt::format("cannot start {}", program));
  child_output.reset();
  Child child(pid);
  if (launch.error != 0) {
    return absl::UnavailableError(
        fmt::format("cannot run {}: {}", program, std::strerror(launch.error)));
  }

  ChildResult result;
  {
    std::stop_callback on_stop(stop, [event = stop_event.get()] { eventfd_write(event, 1); });
    result.end = follow(child, output.get(), stop_event.get(), limits, result.output);
  }
  const int status = child.reap();
  if (result.end != ChildResult::End::kExited) return result;
  if (WIFSIGNALED(status)) {
    result.end = ChildResult::End::kSignalled;
    result.code = WTERMSIG(status);
  } else {
    result.code = WEXITSTATUS(status);
  }
  return result;
}

}  // namespace kiln::devices
