#include "tuner/worker/child.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "core/artifact.h"
#include "core/plan.h"
#include "devices/host/scheduling.h"
#include "runtime/kernel.h"
#include "tuner/worker/channel.h"
#include "tuner/worker/gpu_stage.h"
#include "tuner/worker/host_stage.h"
#include "tuner/worker/sampler.h"
#include "tuner/worker/stage.h"
#include "tuner/worker/system.h"

namespace kiln::tuner::worker {

namespace {

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
    if (on_gpu()) {
      stage_ = std::make_unique<GpuStage>(request_, fds_, *record_);
    } else {
      stage_ = std::make_unique<HostStage>(request_, fds_, *record_);
    }
    if (Status prepared = stage_->prepare(); !prepared.ok()) {
      if (on_gpu()) {
        blame_ =
            absl::IsResourceExhausted(prepared) ? Reply::Cause::kNoMemory : Reply::Cause::kNoDevice;
      }
      return prepared;
    }
    KILN_RETURN_IF_ERROR(load(fds_[kJobFd].get(), request_.variants, request_.probes));
    return stage_->confine();
  }

  Status serve() {
    KILN_RETURN_IF_ERROR(send_message(channel(), Reply{.kind = Reply::Kind::kLoaded}));
    for (;;) {
      KILN_ASSIGN_OR_RETURN(const Packet packet, receive_packet(channel()));
      if (packet.bytes.size() != sizeof(Command)) return absl::InternalError("not a command");
      Command command;
      memcpy(&command, packet.bytes.data(), sizeof command);
      KILN_RETURN_IF_ERROR(handle(command, packet.fds));
    }
  }

  void report(const Status& status) {
    Reply reply{.kind = Reply::Kind::kFailed, .cause = blame_, .variant = running_};
    if (absl::IsDataLoss(status)) reply.cause = Reply::Cause::kOutOfBounds;
    if (absl::IsAborted(status) && blame_ == Reply::Cause::kRefused) {
      reply.cause = Reply::Cause::kFaulted;
    }
    send(reply, std::string(status.message().substr(0, kMaxText))).IgnoreError();
  }

 private:
  int channel() const { return fds_[kChannelFd].get(); }
  bool on_gpu() const { return request_.driver[0] != '\0'; }

  void redirect_output() {
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    dup2(fds_[kTextFd].get(), STDOUT_FILENO);
    dup2(fds_[kTextFd].get(), STDERR_FILENO);
  }

  // The variants of a job file, in place of those before, and the probes behind them.
  Status load(int job_fd, int variants, int probes) {
    if (variants + probes == 0) return absl::OkStatus();
    stage_->forget_dispatches();
    dispatches_.clear();
    known_ = variants;
    KILN_ASSIGN_OR_RETURN(const int64_t bytes, file_bytes(job_fd));
    KILN_ASSIGN_OR_RETURN(const Mapping job, Mapping::map(job_fd, 0, bytes, PROT_READ, MAP_SHARED));
    std::string_view rest(job.data(), size_t(bytes));
    int64_t workspace_bytes = 0;
    bool zero = false;
    for (running_ = 0; running_ < variants; ++running_) {
      KILN_ASSIGN_OR_RETURN(const auto kernel, take_kernel(rest));
      KILN_ASSIGN_OR_RETURN(runtime::Dispatch dispatch,
                            kernel->prepare(std::span(request_.symbol, size_t(request_.symbols)),
                                            std::span(request_.scalar, size_t(request_.scalars))));
      KILN_RETURN_IF_ERROR(check_arguments(dispatch));
      workspace_bytes = std::max(workspace_bytes, dispatch.workspace_bytes(request_.threads));
      const auto& buffers = kernel->plan().buffers;
      zero = zero || std::any_of(buffers.begin(), buffers.end(), [](const Buffer& b) {
               return b.initial == Buffer::Initial::kCleanOnExit;
             });
      dispatches_.push_back(std::move(dispatch));
    }
    running_ = 0;
    for (int i = 0; i < probes; ++i) {
      KILN_ASSIGN_OR_RETURN(auto kernel, take_kernel(rest));
      KILN_RETURN_IF_ERROR(stage_->add_probe(Probe(i), std::move(kernel)));
    }
    return variants == 0 ? absl::OkStatus() : stage_->prepare_workspace(workspace_bytes, zero);
  }

  static StatusOr<std::shared_ptr<const runtime::Kernel>> take_kernel(std::string_view& job) {
    std::string_view field[5];
    for (std::string_view& text : field) {
      KILN_ASSIGN_OR_RETURN(text, take_string(job));
    }
    const Artifact artifact{.bytes = std::string(field[0]),
                            .hash = std::string(field[1]),
                            .target_kind = std::string(field[2]),
                            .architecture = std::string(field[3]),
                            .code_identity = {},
                            .toolchain = {}};
    KILN_ASSIGN_OR_RETURN(const Plan plan, plan_from_json(field[4]));
    return runtime::Kernel::load(artifact, plan);
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

  // Notes which variant is at work from here on.
  const runtime::Dispatch& begin(int variant) {
    running_ = variant;
    record_->variant = variant;
    return dispatches_[size_t(variant)];
  }

  Status handle(const Command& command, const std::vector<FileDescriptor>& fds) {
    const bool one = command.kind == Command::Kind::kLaunch;
    const bool loads = command.kind == Command::Kind::kLoad;
    if (command.variant < 0 || command.variants < 1 || command.variants > kMaxVariants ||
        (one && command.variant >= known_) || (loads && (!on_gpu() || fds.size() != 1)) ||
        (command.kind == Command::Kind::kTime && command.variants > known_)) {
      return absl::InternalError("a command for a variant that was not sent");
    }
    switch (command.kind) {
      case Command::Kind::kLoad:
        KILN_RETURN_IF_ERROR(load(fds[0].get(), command.variants, 0));
        return send_message(channel(), Reply{.kind = Reply::Kind::kLoaded});
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
    KILN_ASSIGN_OR_RETURN(const double ns,
                          stage_->launch(begin(command.variant), command.without_optional != 0));
    return answer({.kind = Reply::Kind::kLaunched, .variant = command.variant}, {&ns, 1});
  }

  Status time(const Command& command) {
    KILN_RETURN_IF_ERROR(stage_->prepare_probe(command.probe));
    KILN_RETURN_IF_ERROR(stage_->prepare_timing(command.warm == 0));
    Sampler sampler(
        {.launch = [&](int variant, int batch,
                       bool warm_up) { return stage_->time(begin(variant), batch, warm_up); },
         .probe = [&](int64_t ns) { return stage_->probe(command.probe, ns); },
         .clock = now_ns});
    KILN_ASSIGN_OR_RETURN(const Samples samples, sampler.run(command));
    for (int i = 0; i < command.variants; ++i) {
      KILN_RETURN_IF_ERROR(
          answer({.kind = Reply::Kind::kSamples, .variant = i, .dropped = samples.dropped},
                 samples.launch_ns[size_t(i)]));
    }
    KILN_RETURN_IF_ERROR(answer({.kind = Reply::Kind::kProbes}, samples.probe));
    const auto now = stage_->conditions();
    if (!now) return answer({.kind = Reply::Kind::kConditions}, {});
    const double values[] = {now->clock_mhz, now->most_clock_mhz, now->memory_clock_mhz,
                             now->memory_used_bytes};
    return answer({.kind = Reply::Kind::kConditions}, values);
  }

  Status peaks(const Command& command) {
    constexpr int64_t kProbeNs = 5'000'000;
    double best[4] = {};
    const int64_t start = now_ns();
    for (const Probe probe : {Probe::kRead, Probe::kCopy}) {
      KILN_RETURN_IF_ERROR(stage_->prepare_probe(probe));
    }
    do {
      for (const Probe probe : {Probe::kFma, Probe::kBf16, Probe::kRead, Probe::kCopy}) {
        KILN_ASSIGN_OR_RETURN(const Sample sample, stage_->probe(probe, kProbeNs));
        best[size_t(probe)] = std::max(best[size_t(probe)], sample.value);
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
  std::unique_ptr<Stage> stage_;
  std::vector<runtime::Dispatch> dispatches_;
  int known_ = 0;  // variants
  int running_ = 0;
  Reply::Cause blame_ = Reply::Cause::kRefused;  // for what fails now
};

}  // namespace

void run_child(const RunRequest& request, std::vector<FileDescriptor>& fds) {
  // Never destroyed: the pool's threads and the variants' code stay until the process ends.
  Child* child = new Child(request, fds);
  Status status = child->prepare();
  if (status.ok()) status = child->serve();
  child->report(status);  // to nobody when the tuner closed the channel
  _exit(0);
}

}  // namespace kiln::tuner::worker
