// Runs variants in processes that may do anything and cost nothing else.
//
//     KILN_ASSIGN_OR_RETURN(auto process,
//                           worker.run({.variants = {…}, .workload = &workload}, stop));
//     auto launched = process->launch(0, false, 2s, stop);  // value or Fault
//     …                                                     // compare the workload's outputs
//     auto timed = process->time(command, 2s, stop);
//
// One process at a time; it ends when its object is destroyed. On a GPU it stays for the next
// variants of the same workload, unless something went wrong: its context and the tensors there are
// dear. The worker executable is started when it is needed and again after it has died. Not
// thread-safe: callers take turns.
//
// Results separate three outcomes: a value; a Fault, which is the variant's own; and a Status,
// which is not (CANCELLED; UNAVAILABLE when the worker was lost; from load(), FAILED_PRECONDITION
// when the GPU does not work and RESOURCE_EXHAUSTED when it has no room for the tensors).

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/artifact.h"
#include "core/measurement.h"
#include "core/plan.h"
#include "core/status.h"
#include "runtime/gpu/driver.h"
#include "tuner/memory_file.h"
#include "tuner/worker/channel.h"
#include "tuner/worker/protocol.h"
#include "tuner/workload.h"

namespace kiln::tuner {

struct Fault {
  Verdict verdict = Verdict::kCrashed;
  std::string diagnostics;
  int variant = 0;  // of those in the process
};

template <class Value>
using OrFault = std::variant<Value, Fault>;

struct VariantCode {
  const Artifact* artifact;
  const Plan* plan;
};

struct RunOptions {
  std::vector<VariantCode> variants;
  const Workload* workload = nullptr;  // null only without variants
  int threads = 1;
  int niceness = 0;
  std::chrono::seconds cpu_limit{60};       // of all commands together
  int64_t memory_limit = int64_t(1) << 30;  // that the process may add
};

// Where variants run.
struct WorkerPlace {
  std::string driver;       // "cuda", "hip"; empty: this processor
  int ordinal = 0;          // of the GPU
  int64_t flush_bytes = 0;  // that push everything else out of its caches
};

// A kernel that measures a GPU, by sizes `blocks` and `iterations`.
struct ProbeKernel {
  Artifact artifact;
  Plan plan;
  double flops = 0;  // of a block and iteration
};

struct Timed {
  std::vector<std::vector<double>> launch_ns;  // [variant][sample]
  std::vector<double> probe;                   // [sample], FLOP/s or bytes/s
  bool dropped = false;
  std::optional<runtime::GpuConditions> conditions;  // right after
};

class RunWorker;

namespace worker {

// The tuner's side of a child.
struct ChildLink {
  FileDescriptor channel;
  MemoryFile faults, text;
  Mapping fault_mapping;
  std::vector<std::string> tensor_names;
  uint64_t workload = 0;  // 0: none
};

}  // namespace worker

class VariantProcess {
 public:
  ~VariantProcess();
  VariantProcess(const VariantProcess&) = delete;
  VariantProcess& operator=(const VariantProcess&) = delete;

  // After a Fault or an error the process has ended and must not be used again.
  StatusOr<OrFault<std::monostate>> load(std::chrono::milliseconds limit, std::stop_token stop);
  StatusOr<OrFault<double>> launch(int variant, bool without_optional,
                                   std::chrono::milliseconds limit, std::stop_token stop);
  StatusOr<OrFault<Timed>> time(const worker::Command& command, std::chrono::milliseconds limit,
                                std::stop_token stop);
  // f32 and bf16 FLOP/s, read and copy bytes/s.
  StatusOr<std::vector<double>> peaks(std::chrono::milliseconds budget, std::stop_token stop);

 private:
  friend class RunWorker;
  struct Answer {
    worker::Reply reply;
    std::vector<double> values;
  };

  explicit VariantProcess(RunWorker& worker) : worker_(worker) {}
  Status send(const worker::Command& command);
  // Waits for one reply of this kind; a reply of any other kind, or none by the deadline, is a
  // fault.
  StatusOr<OrFault<Answer>> receive(worker::Reply::Kind kind,
                                    std::chrono::steady_clock::time_point deadline,
                                    std::stop_token stop);
  Fault post_mortem(int wait_status, bool timed_out) const;
  std::string printed() const;

  RunWorker& worker_;
  worker::ChildLink link_;
  std::chrono::milliseconds limit_{0};
  bool ended_ = false;
  bool kept_ = false;     // it ran other variants before
  bool settled_ = false;  // all that was asked of it is answered
};

class RunWorker {
 public:
  // UNAVAILABLE when the executable is missing or does not answer. `probe_bytes`: memory for
  // bandwidth probes, beyond the last-level caches; occupied by the first of them.
  static StatusOr<std::unique_ptr<RunWorker>> start(const std::string& executable,
                                                    int64_t probe_bytes,
                                                    const WorkerPlace& place = {});
  ~RunWorker();
  RunWorker(const RunWorker&) = delete;
  RunWorker& operator=(const RunWorker&) = delete;

  StatusOr<std::unique_ptr<VariantProcess>> run(const RunOptions& options);

  // Probes of a GPU, f32 first, for all processes from now on; `blocks` of each are launched.
  void set_probes(std::vector<ProbeKernel> probes, int blocks);

  // Ends a process that was kept.
  void end_kept();
  // Gives back the memory of the bandwidth probes until the next of them, and what a process that
  // was kept holds.
  void release_memory();

  // Why the GPU did not work, as the last process that was started found it; else OK.
  const Status& device_status() const { return device_status_; }
  // CPU time that variants have used so far.
  std::chrono::nanoseconds cpu_time() const { return cpu_time_; }
  int pid() const { return pid_; }
  int restarts() const { return restarts_; }

 private:
  friend class VariantProcess;
  RunWorker(std::string executable, WorkerPlace place)
      : executable_(std::move(executable)), place_(std::move(place)) {}

  bool on_gpu() const { return !place_.driver.empty(); }
  Status spawn();
  // Gives the variants to a process that was kept for this workload; false: there is none.
  StatusOr<bool> hand_over(const RunOptions& options, VariantProcess& process);
  void describe_place(worker::RunRequest& request) const;
  void shut_down();
  // Reads the zygote's next notice.
  StatusOr<worker::Notice> receive_notice();
  // Ends the present child and waits until it is gone.
  void end_child();

  std::string executable_;
  WorkerPlace place_;
  std::vector<ProbeKernel> probes_;
  int probe_blocks_ = 0;
  std::optional<worker::ChildLink> kept_;
  MemoryFile probe_memory_;
  FileDescriptor control_;
  int pid_ = 0;
  int restarts_ = 0;
  std::chrono::nanoseconds cpu_time_{0};
  Status device_status_;
};

}  // namespace kiln::tuner
