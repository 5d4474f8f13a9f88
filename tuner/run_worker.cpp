#include "tuner/run_worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

extern char** environ;

namespace kiln::tuner {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds kStartLimit{5'000};
constexpr milliseconds kEndLimit{5'000};  // of a killed child: the kernel frees its memory
constexpr int kStopPollMs = 50;           // how soon a stop is noticed
constexpr int64_t kTextBytes = 64 << 10;  // that a variant may print
constexpr size_t kTextKept = 1'000;

// True when `fd` is ready (or closed) by the deadline.
bool wait_readable(int fd, steady_clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    pollfd event = {fd, POLLIN, 0};
    const int ready = poll(&event, 1, int(std::max<int64_t>(left, 0)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

StatusOr<MemoryFile> write_job(const std::vector<VariantCode>& variants,
                               std::span<const ProbeKernel> probes) {
  std::string job;
  const auto append = [&](const Artifact& artifact, const Plan& plan) {
    worker::append_string(job, artifact.bytes);
    worker::append_string(job, artifact.hash);
    worker::append_string(job, artifact.target_kind);
    worker::append_string(job, artifact.architecture);
    worker::append_string(job, to_json(plan));
  };
  for (const VariantCode& variant : variants)
    append(*variant.artifact, *variant.plan);
  for (const ProbeKernel& probe : probes)
    append(probe.artifact, probe.plan);
  KILN_ASSIGN_OR_RETURN(MemoryFile file,
                        MemoryFile::create("kiln-job", std::max<int64_t>(int64_t(job.size()), 1)));
  {
    KILN_ASSIGN_OR_RETURN(const Mapping mapping, file.map(PROT_READ | PROT_WRITE));
    memcpy(mapping.data(), job.data(), job.size());
  }
  KILN_RETURN_IF_ERROR(file.seal_contents());
  return file;
}

}  // namespace

StatusOr<std::unique_ptr<RunWorker>> RunWorker::start(const std::string& executable,
                                                      int64_t probe_bytes,
                                                      const WorkerPlace& place) {
  std::unique_ptr<RunWorker> worker(new RunWorker(executable, place));
  KILN_ASSIGN_OR_RETURN(worker->probe_memory_, MemoryFile::create("kiln-probe", probe_bytes));
  KILN_RETURN_IF_ERROR(worker->spawn());
  return worker;
}

RunWorker::~RunWorker() {
  shut_down();
}

Status RunWorker::spawn() {
  if (access(executable_.c_str(), X_OK) != 0) {
    return absl::UnavailableError(absl::StrCat("the run worker ", executable_,
                                               " cannot be started: ", strerror(errno),
                                               "; reinstall Kiln or name its path"));
  }
  KILN_ASSIGN_OR_RETURN(auto channel, worker::make_channel());
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  const absl::Cleanup destroy = [&] {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  };
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, channel.second.get(), worker::kControlFd);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  // A group of its own: a terminal's Ctrl-C is the tuner's to handle.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  char* arguments[] = {executable_.data(), nullptr};
  // The worker ends when its channel closes. Not PR_SET_PDEATHSIG: that follows the thread that
  // started it, and tuning threads come and go.
  const int error =
      posix_spawn(&pid_, executable_.c_str(), &actions, &attributes, arguments, environ);
  if (error != 0) {
    pid_ = 0;
    return absl::UnavailableError(
        absl::StrCat("the run worker ", executable_, " cannot be started: ", strerror(error)));
  }
  control_ = std::move(channel.first);
  channel.second.reset();
  if (!wait_readable(control_.get(), steady_clock::now() + kStartLimit) || !receive_notice().ok()) {
    shut_down();
    return absl::UnavailableError(absl::StrCat("the run worker ", executable_, " does not answer"));
  }
  return absl::OkStatus();
}

void RunWorker::shut_down() {
  control_.reset();
  if (pid_ <= 0) return;
  // It ends by itself when the channel closes, its child with it; killing makes that certain.
  const auto deadline = steady_clock::now() + kEndLimit;
  while (waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (steady_clock::now() > deadline) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
      break;
    }
    usleep(1'000);
  }
  pid_ = 0;
}

StatusOr<worker::Notice> RunWorker::receive_notice() {
  KILN_ASSIGN_OR_RETURN(const worker::Packet packet, worker::receive_packet(control_.get()));
  worker::Notice notice;
  if (packet.bytes.size() != sizeof notice) {
    return absl::UnavailableError("the run worker speaks another protocol");
  }
  memcpy(&notice, packet.bytes.data(), sizeof notice);
  if (notice.kind == worker::Notice::Kind::kEnded) {
    cpu_time_ += std::chrono::nanoseconds(notice.cpu_ns);
  }
  return notice;
}

void RunWorker::end_child() {
  if (!control_) return;
  const bool told = worker::send_message(control_.get(), worker::KillRequest{}).ok();
  if (!told || !wait_readable(control_.get(), steady_clock::now() + kEndLimit) ||
      !receive_notice().ok()) {
    shut_down();
  }
}

void RunWorker::set_probes(std::vector<ProbeKernel> probes, int blocks) {
  probes_ = std::move(probes);
  if (probes_.size() > worker::kMaxProbes) probes_.resize(worker::kMaxProbes);
  probe_blocks_ = blocks;
}

void RunWorker::release_memory() {
  probe_memory_.release_pages();
  end_kept();
}

void RunWorker::end_kept() {
  if (!kept_) return;
  kept_.reset();
  end_child();
}

StatusOr<bool> RunWorker::hand_over(const RunOptions& options, VariantProcess& process) {
  if (!kept_) return false;
  worker::ChildLink link = *std::move(kept_);
  kept_.reset();
  bool taken = false;
  if (options.workload != nullptr && link.workload == options.workload->id()) {
    KILN_ASSIGN_OR_RETURN(const MemoryFile job, write_job(options.variants, {}));
    worker::Command command;
    command.kind = worker::Command::Kind::kLoad;
    command.variants = int32_t(options.variants.size());
    const int fd = job.fd();
    taken = worker::send_message(link.channel.get(), command, {&fd, 1}).ok();
  }
  if (!taken) {
    link.channel.reset();
    end_child();
    return false;
  }
  process.link_ = std::move(link);
  process.kept_ = true;
  return true;
}

void RunWorker::describe_place(worker::RunRequest& request) const {
  place_.driver.copy(request.driver, sizeof request.driver - 1);
  request.ordinal = place_.ordinal;
  request.flush_bytes = place_.flush_bytes;
  request.probes = int32_t(probes_.size());
  request.probe_blocks = probe_blocks_;
  for (size_t i = 0; i < probes_.size(); ++i)
    request.probe_flops[i] = probes_[i].flops;
}

StatusOr<std::unique_ptr<VariantProcess>> RunWorker::run(const RunOptions& options) {
  if (options.variants.size() > worker::kMaxVariants) {
    return absl::InternalError("too many variants for one process");
  }
  std::unique_ptr<VariantProcess> process(new VariantProcess(*this));
  KILN_ASSIGN_OR_RETURN(const bool handed_over, hand_over(options, *process));
  if (handed_over) return process;
  worker::RunRequest request;
  memset(static_cast<void*>(&request), 0, sizeof request);
  request.version = worker::kProtocolVersion;
  request.variants = int32_t(options.variants.size());
  request.threads = options.threads;
  request.niceness = options.niceness;
  request.cpu_seconds = options.cpu_limit.count();
  request.memory_bytes = options.memory_limit;
  request.output_limit = kTextBytes;
  describe_place(request);
  worker::ChildLink& link = process->link_;
  int inputs = probe_memory_.fd(), outputs = probe_memory_.fd();  // unused without variants
  if (options.workload != nullptr) {
    options.workload->describe(request);
    inputs = options.workload->inputs_fd();
    outputs = options.workload->outputs_fd();
    link.workload = options.workload->id();
    for (const HostTensor& tensor : options.workload->tensors()) {
      link.tensor_names.push_back(tensor.name);
    }
  }
  KILN_ASSIGN_OR_RETURN(const MemoryFile job, write_job(options.variants, probes_));
  KILN_ASSIGN_OR_RETURN(link.faults, MemoryFile::create("kiln-fault", kPageBytes));
  KILN_ASSIGN_OR_RETURN(link.fault_mapping, link.faults.map(PROT_READ | PROT_WRITE));
  KILN_ASSIGN_OR_RETURN(link.text, MemoryFile::create_growing("kiln-text"));
  for (int attempt = 0;; ++attempt) {
    if (!control_) {
      ++restarts_;
      KILN_RETURN_IF_ERROR(spawn());
    }
    KILN_ASSIGN_OR_RETURN(auto channel, worker::make_channel());
    const int fds[worker::kRunFds] = {
        channel.second.get(), job.fd(),         inputs,        outputs,
        probe_memory_.fd(),   link.faults.fd(), link.text.fd()};
    Status sent = worker::send_message(control_.get(), request, fds);
    if (sent.ok()) {
      link.channel = std::move(channel.first);
      return process;
    }
    shut_down();  // it died since the last request
    if (attempt > 0) return sent;
  }
}

VariantProcess::~VariantProcess() {
  if (ended_ || !link_.channel) return;
  if (worker_.on_gpu() && settled_ && link_.workload != 0) {
    worker_.kept_ = std::move(link_);
    return;
  }
  link_.channel.reset();
  worker_.end_child();
}

StatusOr<OrFault<std::monostate>> VariantProcess::load(milliseconds limit, std::stop_token stop) {
  limit_ = limit;
  KILN_ASSIGN_OR_RETURN(auto answer,
                        receive(worker::Reply::Kind::kLoaded, steady_clock::now() + limit, stop));
  if (auto* fault = std::get_if<Fault>(&answer)) {
    // Somebody killed it while nothing ran, perhaps: a new one will tell.
    if (kept_ && fault->verdict == Verdict::kCrashed) {
      return absl::UnavailableError("the process of earlier variants has ended");
    }
    return OrFault<std::monostate>(std::move(*fault));
  }
  worker_.device_status_ = absl::OkStatus();
  return OrFault<std::monostate>();
}

Status VariantProcess::send(const worker::Command& command) {
  settled_ = false;
  // A failure shows as the end of the process, which tells more.
  worker::send_message(link_.channel.get(), command).IgnoreError();
  return absl::OkStatus();
}

StatusOr<OrFault<double>> VariantProcess::launch(int variant, bool without_optional,
                                                 milliseconds limit, std::stop_token stop) {
  worker::Command command;
  command.kind = worker::Command::Kind::kLaunch;
  command.variant = variant;
  command.without_optional = without_optional;
  limit_ = limit;
  KILN_RETURN_IF_ERROR(send(command));
  KILN_ASSIGN_OR_RETURN(auto answer,
                        receive(worker::Reply::Kind::kLaunched, steady_clock::now() + limit, stop));
  if (auto* fault = std::get_if<Fault>(&answer)) return OrFault<double>(std::move(*fault));
  const auto& values = std::get<Answer>(answer).values;
  return OrFault<double>(values.size() == 1 ? values[0] : 0.0);
}

StatusOr<OrFault<Timed>> VariantProcess::time(const worker::Command& command, milliseconds limit,
                                              std::stop_token stop) {
  limit_ = limit;
  KILN_RETURN_IF_ERROR(send(command));
  const auto deadline = steady_clock::now() + limit;
  Timed timed;
  const auto unbelievable = [] {
    return OrFault<Timed>(Fault{Verdict::kCrashed, "the process reported times that cannot be"});
  };
  for (int i = 0; i < command.variants; ++i) {
    KILN_ASSIGN_OR_RETURN(auto answer, receive(worker::Reply::Kind::kSamples, deadline, stop));
    if (auto* fault = std::get_if<Fault>(&answer)) return OrFault<Timed>(std::move(*fault));
    auto& got = std::get<Answer>(answer);
    for (const double ns : got.values) {
      if (!(ns > 0) || !std::isfinite(ns)) return unbelievable();
    }
    if (got.values.empty() || got.reply.variant != i) return unbelievable();
    timed.dropped = timed.dropped || got.reply.dropped != 0;
    timed.launch_ns.push_back(std::move(got.values));
  }
  KILN_ASSIGN_OR_RETURN(auto answer, receive(worker::Reply::Kind::kProbes, deadline, stop));
  if (auto* fault = std::get_if<Fault>(&answer)) return OrFault<Timed>(std::move(*fault));
  timed.probe = std::move(std::get<Answer>(answer).values);
  for (const double rate : timed.probe) {
    if (!(rate > 0) || !std::isfinite(rate)) return unbelievable();
  }
  if (timed.probe.empty()) return unbelievable();
  KILN_ASSIGN_OR_RETURN(auto last, receive(worker::Reply::Kind::kConditions, deadline, stop));
  if (auto* fault = std::get_if<Fault>(&last)) return OrFault<Timed>(std::move(*fault));
  if (const auto& now = std::get<Answer>(last).values; now.size() == 4) {
    timed.conditions = {.clock_mhz = now[0],
                        .most_clock_mhz = now[1],
                        .memory_clock_mhz = now[2],
                        .memory_used_bytes = now[3]};
  }
  return OrFault<Timed>(std::move(timed));
}

StatusOr<std::vector<double>> VariantProcess::peaks(milliseconds budget, std::stop_token stop) {
  worker::Command command;
  command.kind = worker::Command::Kind::kPeaks;
  command.budget_ns = std::chrono::nanoseconds(budget).count();
  limit_ = budget + kStartLimit;
  KILN_RETURN_IF_ERROR(send(command));
  KILN_ASSIGN_OR_RETURN(auto answer,
                        receive(worker::Reply::Kind::kPeaks, steady_clock::now() + limit_, stop));
  if (auto* fault = std::get_if<Fault>(&answer)) {
    return absl::UnavailableError(absl::StrCat("the probes failed: ", fault->diagnostics));
  }
  return std::move(std::get<Answer>(answer).values);
}

StatusOr<OrFault<VariantProcess::Answer>> VariantProcess::receive(worker::Reply::Kind kind,
                                                                  steady_clock::time_point deadline,
                                                                  std::stop_token stop) {
  using Result = OrFault<Answer>;
  // Whatever the process still does after a fault is of no interest.
  const auto give_up = [&](Fault fault) {
    link_.channel.reset();
    worker_.end_child();
    ended_ = true;
    return Result(std::move(fault));
  };
  for (;;) {
    const auto now = steady_clock::now();
    if (wait_readable(link_.channel.get(), std::min(deadline, now + milliseconds(kStopPollMs))))
      break;
    if (stop.stop_requested()) {
      give_up({});
      return absl::CancelledError("stopped");
    }
    if (now >= deadline) return give_up(post_mortem(0, true));
  }
  const StatusOr<worker::Packet> packet = worker::receive_packet(link_.channel.get());
  if (!packet.ok()) {
    // The process has ended; the zygote knows how.
    ended_ = true;
    link_.channel.reset();
    if (!worker_.control_ ||
        !wait_readable(worker_.control_.get(), steady_clock::now() + kEndLimit)) {
      worker_.shut_down();
      return absl::UnavailableError("the run worker does not answer");
    }
    const StatusOr<worker::Notice> notice = worker_.receive_notice();
    if (!notice.ok()) {
      worker_.shut_down();
      return absl::UnavailableError("the run worker was lost");
    }
    return Result(post_mortem(notice->wait_status, false));
  }
  Answer answer;
  const std::string& bytes = packet->bytes;
  if (bytes.size() < sizeof answer.reply) return give_up({Verdict::kCrashed, "spoke nonsense"});
  memcpy(&answer.reply, bytes.data(), sizeof answer.reply);
  const std::string_view rest = std::string_view(bytes).substr(sizeof answer.reply);
  if (answer.reply.kind == worker::Reply::Kind::kFailed) {
    const std::string text = printable(rest, kTextKept);
    Fault fault{Verdict::kFailed, text, answer.reply.variant};
    switch (answer.reply.cause) {
      case worker::Reply::Cause::kRefused:
        break;
      case worker::Reply::Cause::kOutOfBounds:
        fault.verdict = Verdict::kOutOfBounds;
        break;
      case worker::Reply::Cause::kFaulted:
        fault.verdict = Verdict::kCrashed;
        break;
      case worker::Reply::Cause::kNoMemory:
        give_up({});
        return absl::ResourceExhaustedError(text);
      case worker::Reply::Cause::kNoDevice:
        give_up({});
        worker_.device_status_ = absl::FailedPreconditionError(text);
        return worker_.device_status_;
    }
    return give_up(std::move(fault));
  }
  const int32_t values = answer.reply.values;
  if (answer.reply.kind != kind || values < 0 || values > worker::kMaxSamples ||
      rest.size() != size_t(values) * sizeof(double)) {
    return give_up({Verdict::kCrashed, "the process answered out of turn"});
  }
  answer.values.resize(size_t(values));
  if (values > 0) memcpy(answer.values.data(), rest.data(), rest.size());
  // More replies follow these two.
  settled_ = kind != worker::Reply::Kind::kSamples && kind != worker::Reply::Kind::kProbes;
  return Result(std::move(answer));
}

std::string VariantProcess::printed() const {
  std::string text(kTextKept, '\0');
  const ssize_t bytes = pread(link_.text.fd(), text.data(), text.size(), 0);
  if (bytes <= 0) return "";
  text.resize(size_t(bytes));
  return absl::StrCat("; it printed: ", printable(text, kTextKept));
}

Fault VariantProcess::post_mortem(int wait_status, bool timed_out) const {
  const auto& record = *reinterpret_cast<const worker::FaultRecord*>(link_.fault_mapping.data());
  Fault fault;
  fault.variant = record.variant;
  const auto& names = link_.tensor_names;
  const int tensor = record.tensor;
  if (timed_out) {
    fault.verdict = Verdict::kTimedOut;
    fault.diagnostics = absl::StrCat("did not end within ", limit_.count(), " ms");
  } else if (record.signal == SIGSYS) {
    fault.diagnostics = absl::StrCat("made a system call (number ", int64_t(record.address), ")");
  } else if ((record.signal == SIGSEGV || record.signal == SIGBUS) && tensor >= 0 &&
             size_t(tensor) < names.size()) {
    fault.verdict = Verdict::kOutOfBounds;
    fault.diagnostics =
        absl::StrCat("touched memory it may not at byte ", int64_t(record.offset), " of ",
                     names[size_t(tensor)], " (", strsignal(record.signal), ")");
  } else if (record.signal != 0) {
    fault.diagnostics = absl::StrFormat("%s at address 0x%x", strsignal(record.signal),
                                        uint64_t(int64_t(record.address)));
  } else if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGXCPU) {
    fault.verdict = Verdict::kTimedOut;
    fault.diagnostics = "used up its CPU time";
  } else if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGXFSZ) {
    fault.diagnostics = absl::StrCat("printed more than ", kTextBytes, " bytes");
  } else if (WIFSIGNALED(wait_status)) {
    fault.diagnostics = absl::StrCat("ended by signal ", WTERMSIG(wait_status), " (",
                                     strsignal(WTERMSIG(wait_status)), ")");
  } else {
    fault.diagnostics = absl::StrCat("ended by itself with exit code ", WEXITSTATUS(wait_status));
  }
  absl::StrAppend(&fault.diagnostics, printed());
  return fault;
}

}  // namespace kiln::tuner
