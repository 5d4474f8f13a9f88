#include "tuner/worker/zygote.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "tuner/worker/channel.h"
#include "tuner/worker/child.h"
#include "tuner/worker/protocol.h"

namespace kiln::tuner::worker {

namespace {

class Zygote {
 public:
  explicit Zygote(int control) : control_(control) {}

  int serve() {
    // What a child leaves behind becomes ours, so that it can be ended too.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t child_signal;
    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_signal, nullptr);
    const FileDescriptor signals(signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals || !send_message(control_, Notice{.kind = Notice::Kind::kReady}).ok()) return 1;
    for (;;) {
      pollfd events[2] = {{control_, POLLIN, 0}, {signals.get(), POLLIN, 0}};
      if (poll(events, 2, -1) < 0) continue;
      if (events[1].revents != 0) {
        signalfd_siginfo info;
        while (read(signals.get(), &info, sizeof info) > 0) {
        }
        if (!reap().ok()) break;
      }
      if (events[0].revents != 0 && !handle_request().ok()) break;
    }
    end_child();
    return 0;
  }

 private:
  Status handle_request() {
    KILN_ASSIGN_OR_RETURN(Packet packet, receive_packet(control_));
    if (packet.bytes.size() == sizeof(KillRequest)) {
      end_child();
      return absl::OkStatus();
    }
    if (packet.bytes.size() != sizeof(RunRequest) || packet.fds.size() != kRunFds || child_ > 0) {
      return absl::InternalError("not a request");
    }
    RunRequest request;
    memcpy(&request, packet.bytes.data(), sizeof request);
    if (request.version != kProtocolVersion) return absl::InternalError("another version");
    const pid_t zygote = getpid();
    const pid_t child = fork();
    if (child == 0) {
      setpgid(0, 0);
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != zygote) _exit(1);
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, nullptr);
      close(control_);
      run_child(request, packet.fds);
    }
    if (child < 0) {
      return send_message(control_, Notice{.kind = Notice::Kind::kEnded, .wait_status = 127 << 8});
    }
    setpgid(child, child);  // whichever of the two is first
    child_ = child;
    return absl::OkStatus();
  }

  Status reap() {
    Status status;
    for (;;) {
      int wait_status = 0;
      rusage usage = {};
      const pid_t ended = wait4(-1, &wait_status, WNOHANG, &usage);
      if (ended <= 0) return status;
      if (ended != child_) continue;
      child_ = 0;
      kill(-ended, SIGKILL);  // its descendants
      Notice notice{.kind = Notice::Kind::kEnded, .wait_status = wait_status};
      for (const timeval& time : {usage.ru_utime, usage.ru_stime}) {
        notice.cpu_ns += time.tv_sec * 1'000'000'000ll + time.tv_usec * 1'000ll;
      }
      status = send_message(control_, notice);
    }
  }

  void end_child() {
    if (child_ > 0) kill(-child_, SIGKILL);
  }

  int control_;
  pid_t child_ = 0;
};

}  // namespace

int run_zygote(int control) {
  return Zygote(control).serve();
}

}  // namespace kiln::tuner::worker
