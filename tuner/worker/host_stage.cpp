#include "tuner/worker/host_stage.h"

#include <sys/resource.h>

#include <algorithm>

#include "tuner/worker/confinement.h"
#include "tuner/worker/system.h"

namespace kiln::tuner::worker {

namespace {

int64_t involuntary_switches() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

}  // namespace

Status HostStage::prepare() {
  pool_ = std::make_unique<runtime::ThreadPool>(request_.threads);
  KILN_ASSIGN_OR_RETURN(probe_bytes_, file_bytes(fds_[kProbeFd].get()));
  // Threads finish starting before they are confined.
  pool_->run(request_.threads, [](void*, int64_t, int64_t, int) {}, nullptr);
  probe_.emplace(*pool_, fds_[kProbeFd].get(), probe_bytes_);
  if (request_.variants == 0) return absl::OkStatus();
  KILN_ASSIGN_OR_RETURN(buffers_,
                        ChildBuffers::map(request_, fds_[kInputsFd].get(), fds_[kOutputsFd].get()));
  record_faults(record_, buffers_.watched());
  return absl::OkStatus();
}

Status HostStage::prepare_workspace(int64_t bytes, bool zero) {
  KILN_ASSIGN_OR_RETURN(workspace_, buffers_.make_workspace(bytes, zero));
  return absl::OkStatus();
}

Status HostStage::confine() {
  return worker::confine({.cpu_seconds = request_.cpu_seconds,
                          .memory_bytes = request_.memory_bytes + probe_bytes_,
                          .output_bytes = request_.output_limit});
}

Status HostStage::add_probe(Probe, std::shared_ptr<const runtime::Kernel>) {
  return absl::InternalError("a processor's probes are not kernels");
}

StatusOr<Sample> HostStage::probe(Probe probe, int64_t length_ns) {
  const int64_t switches = involuntary_switches();
  const double rate = probe_->run(probe, length_ns);
  return Sample{rate, involuntary_switches() != switches};
}

StatusOr<double> HostStage::launch(const runtime::Dispatch& dispatch, bool without_optional) {
  const auto tensors = buffers_.guarded(without_optional);
  const int64_t start = now_ns();
  KILN_RETURN_IF_ERROR(dispatch.launch(tensors, workspace_, *pool_));
  return double(now_ns() - start);
}

Status HostStage::prepare_timing(bool) {
  buffers_.populate_copies();
  timed_ = buffers_.guarded(false);
  copy_ = 0;
  return absl::OkStatus();
}

Status HostStage::launch_timed(const runtime::Dispatch& dispatch) {
  if (buffers_.copies() > 0) {
    buffers_.select_copy(copy_, timed_);
    copy_ = (copy_ + 1) % buffers_.copies();
  }
  return dispatch.launch(timed_, workspace_, *pool_);
}

StatusOr<Sample> HostStage::time(const runtime::Dispatch& dispatch, int batch, bool warm_up) {
  if (warm_up) KILN_RETURN_IF_ERROR(launch_timed(dispatch));
  const int64_t switches = involuntary_switches();
  const int64_t start = now_ns();
  for (int i = 0; i < batch; ++i)
    KILN_RETURN_IF_ERROR(launch_timed(dispatch));
  const int64_t end = now_ns();
  return Sample{double(std::max<int64_t>(end - start, 1)) / batch,
                involuntary_switches() != switches};
}

}  // namespace kiln::tuner::worker
