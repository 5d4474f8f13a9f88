#include "tuner/worker/child.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/artifact.h"
#include "core/plan.h"
#include "devices/host/scheduling.h"
#include "runtime/host/thread_pool.h"
#include "runtime/kernel.h"
#include "tuner/worker/channel.h"
#include "tuner/worker/child_buffers.h"
#include "tuner/worker/confinement.h"
#include "tuner/worker/peak_probe.h"
#include "tuner/worker/sampler.h"

namespace kiln::tuner::worker {

namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int64_t involuntary_switches() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

StatusOr<int64_t> file_bytes(int fd) {
  struct stat facts;
  if (fstat(fd, &facts) != 0) return absl::InternalError("cannot see a file of the request");
  return facts.st_size;
}

class Child {
 public:
  Child(const RunRequest& request, std::vector<FileDescriptor>& fds)
      : request_(request), fds_(fds) {}

  Status prepare() {
    redirect_output();
    if (request_.niceness > 0) devices::give_way(request_.niceness);
    KILN_ASSIGN_OR_RETURN(faults_, Mapping::map(fds_[kFaultFd].get(), 0, kPageBytes,
                                                PROT_READ | PROT_WRITE, MAP_SHARED));
    record_ = reinterpret_cast<FaultRecord*>(faults_.data());
    pool_ = std::make_unique<runtime::ThreadPool>(request_.threads);
    KILN_ASSIGN_OR_RETURN(const int64_t probe_bytes, file_bytes(fds_[kProbeFd].get()));
    // Threads finish starting before they are confined.
    pool_->run(request_.threads, [](void*, int64_t, int64_t, int) {}, nullptr);
    probe_.emplace(*pool_, fds_[kProbeFd].get(), probe_bytes);
    if (request_.variants > 0) {
      KILN_ASSIGN_OR_RETURN(
          buffers_, ChildBuffers::map(request_, fds_[kInputsFd].get(), fds_[kOutputsFd].get()));
      record_faults(*record_, buffers_.watched());
      KILN_RETURN_IF_ERROR(load());
    }
    return confine({.cpu_seconds = request_.cpu_seconds,
                    .memory_bytes = request_.memory_bytes + probe_bytes,
                    .output_bytes = request_.output_limit});
  }

  Status serve() {
    KILN_RETURN_IF_ERROR(send_message(channel(), Reply{.kind = Reply::Kind::kLoaded}));
    for (;;) {
      KILN_ASSIGN_OR_RETURN(const Packet packet, receive_packet(channel()));
      if (packet.bytes.size() != sizeof(Command)) return absl::InternalError("not a command");
      Command command;
      memcpy(&command, packet.bytes.data(), sizeof command);
      KILN_RETURN_IF_ERROR(handle(command));
    }
  }

  void report(const Status& status) {
    const std::string text(status.message().substr(0, kMaxText));
    send({.kind = Reply::Kind::kFailed, .variant = running_}, text).IgnoreError();
  }

 private:
  int channel() const { return fds_[kChannelFd].get(); }

  void redirect_output() {
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    dup2(fds_[kTextFd].get(), STDOUT_FILENO);
    dup2(fds_[kTextFd].get(), STDERR_FILENO);
  }

  Status load() {
    KILN_ASSIGN_OR_RETURN(const int64_t bytes, file_bytes(fds_[kJobFd].get()));
    KILN_ASSIGN_OR_RETURN(const Mapping job,
                          Mapping::map(fds_[kJobFd].get(), 0, bytes, PROT_READ, MAP_SHARED));
    std::string_view rest(job.data(), size_t(bytes));
    int64_t workspace_bytes = 0;
    bool zero = false;
    for (running_ = 0; running_ < request_.variants; ++running_) {
      std::string_view field[5];
      for (std::string_view& text : field) {
        KILN_ASSIGN_OR_RETURN(text, take_string(rest));
      }
      Artifact artifact{.bytes = std::string(field[0]),
                        .hash = std::string(field[1]),
                        .target_kind = std::string(field[2]),
                        .architecture = std::string(field[3]),
                        .code_identity = {},
                        .toolchain = {}};
      KILN_ASSIGN_OR_RETURN(const Plan plan, plan_from_json(field[4]));
      KILN_ASSIGN_OR_RETURN(auto kernel, runtime::Kernel::load(artifact, plan));
      KILN_ASSIGN_OR_RETURN(runtime::Dispatch dispatch,
                            kernel->prepare(std::span(request_.symbol, size_t(request_.symbols)),
                                            std::span(request_.scalar, size_t(request_.scalars))));
      KILN_RETURN_IF_ERROR(check_arguments(dispatch));
      workspace_bytes = std::max(workspace_bytes, dispatch.workspace_bytes(request_.threads));
      zero = zero || std::any_of(plan.buffers.begin(), plan.buffers.end(), [](const Buffer& b) {
               return b.initial == Buffer::Initial::kCleanOnExit;
             });
      dispatches_.push_back(std::move(dispatch));
    }
    running_ = 0;
    KILN_ASSIGN_OR_RETURN(workspace_, buffers_.make_workspace(workspace_bytes, zero));
    return absl::OkStatus();
  }

  Status check_arguments(const runtime::Dispatch& dispatch) const {
    const auto arguments = dispatch.arguments();
    bool same = arguments.size() == size_t(request_.tensors);
    for (size_t i = 0; same && i < arguments.size(); ++i) {
      same = arguments[i].elements() * int64_t(size_of(arguments[i].dtype)) ==
             request_.tensor[i].bytes;
    }
    if (same) return absl::OkStatus();
    return absl::InvalidArgumentError("the plan's arguments are not those of the problem");
  }

  Status launch(int variant, std::span<const runtime::Tensor> tensors) {
    running_ = variant;
    record_->variant = variant;
    record_->in_launch = 1;
    Status status = dispatches_[size_t(variant)].launch(tensors, workspace_, *pool_);
    record_->in_launch = 0;
    return status;
  }

  Status handle(const Command& command) {
    const int known = request_.variants;
    if (command.variant < 0 || command.variants < 1 || command.variants > kMaxVariants ||
        (command.kind == Command::Kind::kLaunch && command.variant >= known) ||
        (command.kind == Command::Kind::kTime && command.variants > known)) {
      return absl::InternalError("a command for a variant that was not sent");
    }
    switch (command.kind) {
      case Command::Kind::kLaunch:
        return launch_once(command);
      case Command::Kind::kTime:
        return time(command);
      case Command::Kind::kPeaks:
        return peaks(command);
    }
    return absl::InternalError("an unknown command");
  }

  Status launch_once(const Command& command) {
    const auto tensors = buffers_.guarded(command.without_optional != 0);
    const int64_t start = now_ns();
    KILN_RETURN_IF_ERROR(launch(command.variant, tensors));
    const double ns = double(now_ns() - start);
    return answer({.kind = Reply::Kind::kLaunched, .variant = command.variant}, {&ns, 1});
  }

  Status time(const Command& command) {
    KILN_RETURN_IF_ERROR(probe_->prepare(command.probe));
    buffers_.populate_copies();
    std::vector<runtime::Tensor> tensors = buffers_.guarded(false);
    int64_t copy = 0;
    Sampler sampler({.launch =
                         [&](int variant) {
                           if (buffers_.copies() > 0) {
                             buffers_.select_copy(copy, tensors);
                             copy = (copy + 1) % buffers_.copies();
                           }
                           return launch(variant, tensors);
                         },
                     .probe = [&](int64_t ns) { return probe_->run(command.probe, ns); },
                     .clock = now_ns,
                     .involuntary_switches = involuntary_switches});
    KILN_ASSIGN_OR_RETURN(const Samples samples, sampler.run(command));
    for (int i = 0; i < command.variants; ++i) {
      KILN_RETURN_IF_ERROR(
          answer({.kind = Reply::Kind::kSamples, .variant = i, .dropped = samples.dropped},
                 samples.launch_ns[size_t(i)]));
    }
    return answer({.kind = Reply::Kind::kProbes}, samples.probe);
  }

  Status peaks(const Command& command) {
    double best[4] = {};
    const int64_t start = now_ns();
    for (const Probe probe : {Probe::kRead, Probe::kCopy}) {
      KILN_RETURN_IF_ERROR(probe_->prepare(probe));
    }
    do {
      for (const Probe probe : {Probe::kFma, Probe::kBf16, Probe::kRead, Probe::kCopy}) {
        double& peak = best[size_t(probe)];
        peak = std::max(peak, probe_->run(probe, 5'000'000));
      }
    } while (now_ns() - start < command.budget_ns);
    return answer({.kind = Reply::Kind::kPeaks}, best);
  }

  Status answer(Reply reply, std::span<const double> values) {
    reply.values = int32_t(values.size());
    return send(reply, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  }

  Status send(const Reply& reply, std::string_view rest) {
    std::string packet(reinterpret_cast<const char*>(&reply), sizeof reply);
    return send_packet(channel(), packet.append(rest));
  }

  const RunRequest& request_;
  std::vector<FileDescriptor>& fds_;
  Mapping faults_;
  FaultRecord* record_ = nullptr;
  std::unique_ptr<runtime::ThreadPool> pool_;
  std::optional<PeakProbe> probe_;
  ChildBuffers buffers_;
  std::vector<runtime::Dispatch> dispatches_;
  void* workspace_ = nullptr;
  int running_ = 0;
};

}  // namespace

void run_child(const RunRequest& request, std::vector<FileDescriptor>& fds) {
  // Never destroyed: the pool's threads and the variants' code stay until the process ends.
  Child* child = new Child(request, fds);
  Status status = child->prepare();
  if (status.ok()) status = child->serve();
  if (!absl::IsUnavailable(status)) child->report(status);
  _exit(0);
}

}  // namespace kiln::tuner::worker
