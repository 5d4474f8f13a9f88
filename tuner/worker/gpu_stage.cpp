#include "tuner/worker/gpu_stage.h"

#include <sys/resource.h>

#include <algorithm>

#include "tuner/worker/confinement.h"

namespace kiln::tuner::worker {

namespace {

// Below this a launch from the host takes about as long as the kernel.
constexpr double kShortLaunchNs = 20'000;
constexpr int kGraphLaunches = 64;
constexpr int64_t kLeastCopyBytes = 64 << 20;
constexpr int kMostCopies = 1'000;
constexpr int64_t kMostIterations = 1 << 24;
constexpr double kMostGrowth = 64;  // of a probe's iterations from one run to the next

}  // namespace

Status GpuStage::prepare() {
  record_faults(record_, {});
  KILN_ASSIGN_OR_RETURN(driver_, runtime::process_gpu_driver(request_.driver));
  KILN_RETURN_IF_ERROR(driver_->use(request_.ordinal));
  KILN_ASSIGN_OR_RETURN(stream_, driver_->make_stream());
  for (Handle& event : events_) {
    KILN_ASSIGN_OR_RETURN(event, driver_->make_event());
  }
  if (request_.variants == 0) return absl::OkStatus();
  KILN_ASSIGN_OR_RETURN(buffers_,
                        DeviceBuffers::make(*driver_, stream_, request_, fds_[kInputsFd].get(),
                                            fds_[kOutputsFd].get()));
  return absl::OkStatus();
}

Status GpuStage::prepare_workspace(int64_t bytes, bool zero) {
  KILN_ASSIGN_OR_RETURN(workspace_, buffers_->make_workspace(bytes, zero));
  return absl::OkStatus();
}

Status GpuStage::confine() {
  const rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return absl::InternalError("cannot limit core files");
  return absl::OkStatus();
}

Status GpuStage::add_probe(Probe probe, std::shared_ptr<const runtime::Kernel> kernel) {
  if (size_t(probe) >= arithmetic_.size()) return absl::InternalError("no such probe");
  Arithmetic& arithmetic = arithmetic_[size_t(probe)];
  arithmetic.kernel = std::move(kernel);
  arithmetic.flops = request_.probe_flops[size_t(probe)];
  return absl::OkStatus();
}

Status GpuStage::prepare_probe(Probe probe) {
  const bool copies = probe == Probe::kRead || probe == Probe::kCopy;
  if (!copies || copied_ != 0) return absl::OkStatus();
  KILN_ASSIGN_OR_RETURN(copied_, driver_->allocate(copied_bytes()));
  return driver_->fill(copied_, 0, copied_bytes(), stream_);
}

StatusOr<Sample> GpuStage::probe(Probe probe, int64_t length_ns) {
  Sample sample;
  if (probe == Probe::kRead || probe == Probe::kCopy) {
    KILN_ASSIGN_OR_RETURN(sample.value, copy_rate(length_ns));
  } else if (arithmetic_[size_t(probe)].kernel != nullptr) {
    KILN_ASSIGN_OR_RETURN(sample.value, arithmetic_rate(arithmetic_[size_t(probe)], length_ns));
  }
  return sample;
}

int64_t GpuStage::copied_bytes() const {
  return std::max(2 * request_.flush_bytes, kLeastCopyBytes);
}

// Bytes/s read plus bytes/s written, from one half of the memory to the other and back.
StatusOr<double> GpuStage::copy_rate(int64_t length_ns) {
  const int64_t half = copied_bytes() / 2;
  double ns = 0;
  int copies = 1;
  for (int attempt = 0; attempt < 2; ++attempt) {
    KILN_RETURN_IF_ERROR(driver_->record(events_[0], stream_));
    for (int i = 0; i < copies; ++i) {
      const Address other = copied_ + uint64_t(half);
      KILN_RETURN_IF_ERROR(
          driver_->copy(i % 2 == 0 ? other : copied_, i % 2 == 0 ? copied_ : other, half, stream_));
    }
    KILN_RETURN_IF_ERROR(driver_->record(events_[1], stream_));
    KILN_ASSIGN_OR_RETURN(ns, time_between(0, 1));
    const double wanted = std::min(double(length_ns) / (ns / copies), double(kMostCopies));
    if (wanted < 2 * copies) break;
    copies = int(wanted);
  }
  return 2.0 * double(half) * copies / (ns * 1e-9);
}

StatusOr<double> GpuStage::arithmetic_rate(Arithmetic& arithmetic, int64_t length_ns) {
  double rate = 0;
  for (int attempt = 0; attempt < 4; ++attempt) {
    const int64_t sizes[] = {request_.probe_blocks, arithmetic.iterations};
    KILN_ASSIGN_OR_RETURN(const runtime::Dispatch dispatch, arithmetic.kernel->prepare(sizes, {}));
    if (arithmetic.output == nullptr) {
      const HostTensor& output = dispatch.arguments()[0];
      KILN_ASSIGN_OR_RETURN(const Address memory,
                            driver_->allocate(output.elements() * int64_t(size_of(output.dtype))));
      arithmetic.output = reinterpret_cast<void*>(memory);  // NOLINT(performance-no-int-to-ptr)
    }
    const runtime::Tensor tensor{.data = arithmetic.output, .strides = nullptr};
    KILN_RETURN_IF_ERROR(driver_->record(events_[0], stream_));
    KILN_RETURN_IF_ERROR(dispatch.enqueue({&tensor, 1}, nullptr, stream_));
    KILN_RETURN_IF_ERROR(driver_->record(events_[1], stream_));
    KILN_ASSIGN_OR_RETURN(const double ns, time_between(0, 1));
    rate = arithmetic.flops * double(sizes[0]) * double(sizes[1]) / (ns * 1e-9);
    const double growth = double(length_ns) / ns;
    arithmetic.iterations = std::clamp<int64_t>(
        int64_t(double(arithmetic.iterations) * std::min(growth, kMostGrowth)), 1, kMostIterations);
    if (growth < 2) break;
  }
  return rate;
}

StatusOr<double> GpuStage::launch(const runtime::Dispatch& dispatch, bool without_optional) {
  KILN_RETURN_IF_ERROR(buffers_->bring());
  KILN_RETURN_IF_ERROR(driver_->record(events_[0], stream_));
  KILN_RETURN_IF_ERROR(enqueue(dispatch, buffers_->guarded(without_optional)));
  KILN_RETURN_IF_ERROR(driver_->record(events_[1], stream_));
  KILN_ASSIGN_OR_RETURN(const double ns, time_between(0, 1));
  KILN_RETURN_IF_ERROR(driver_->synchronize());
  KILN_RETURN_IF_ERROR(buffers_->fetch(dispatch.arguments()));
  return ns;
}

Status GpuStage::prepare_timing(bool cold) {
  cold_ = cold && request_.flush_bytes > 0;
  if (cold_ && flush_ == 0) {
    KILN_ASSIGN_OR_RETURN(flush_, driver_->allocate(request_.flush_bytes));
  }
  KILN_ASSIGN_OR_RETURN(timed_, buffers_->timed());
  return absl::OkStatus();
}

StatusOr<Sample> GpuStage::time(const runtime::Dispatch& dispatch, int batch, bool warm_up) {
  if (warm_up) KILN_RETURN_IF_ERROR(enqueue(dispatch, timed_));
  Sample sample;
  KILN_ASSIGN_OR_RETURN(sample.value,
                        cold_ ? time_cold(dispatch, batch) : time_warm(dispatch, batch));
  return sample;
}

StatusOr<double> GpuStage::time_cold(const runtime::Dispatch& dispatch, int batch) {
  double total = 0;
  for (int done = 0; done < batch;) {
    const int now = std::min(batch - done, kEventPairs);
    for (int i = 0; i < now; ++i) {
      // While the device writes, the host enqueues: its part does not show.
      KILN_RETURN_IF_ERROR(driver_->fill(flush_, ++flush_byte_, request_.flush_bytes, stream_));
      KILN_RETURN_IF_ERROR(driver_->record(events_[size_t(2 * i)], stream_));
      KILN_RETURN_IF_ERROR(enqueue(dispatch, timed_));
      KILN_RETURN_IF_ERROR(driver_->record(events_[size_t(2 * i + 1)], stream_));
    }
    for (int i = 0; i < now; ++i) {
      KILN_ASSIGN_OR_RETURN(const double ns, time_between(2 * i, 2 * i + 1));
      total += ns;
    }
    done += now;
  }
  return total / batch;
}

StatusOr<double> GpuStage::time_warm(const runtime::Dispatch& dispatch, int batch) {
  const auto known = graphs_.find(&dispatch);
  const Handle graph = known == graphs_.end() ? nullptr : known->second;
  const int launches = graph != nullptr ? kGraphLaunches : 1;  // of a piece
  const int pieces = (batch + launches - 1) / launches;
  KILN_RETURN_IF_ERROR(driver_->record(events_[0], stream_));
  for (int i = 0; i < pieces; ++i) {
    KILN_RETURN_IF_ERROR(graph != nullptr ? driver_->replay(graph, stream_)
                                          : enqueue(dispatch, timed_));
  }
  KILN_RETURN_IF_ERROR(driver_->record(events_[1], stream_));
  KILN_ASSIGN_OR_RETURN(const double ns, time_between(0, 1));
  const double launch_ns = ns / (double(pieces) * launches);
  // One alone tells that it is short; from then on many go together.
  if (launch_ns < kShortLaunchNs) make_graph(dispatch);
  return launch_ns;
}

void GpuStage::make_graph(const runtime::Dispatch& dispatch) {
  const auto [place, fresh] = graphs_.try_emplace(&dispatch);
  if (!fresh) return;
  const StatusOr<Handle> captured = driver_->capture(stream_, [&]() -> Status {
    for (int i = 0; i < kGraphLaunches; ++i)
      KILN_RETURN_IF_ERROR(enqueue(dispatch, timed_));
    return absl::OkStatus();
  });
  if (captured.ok()) place->second = *captured;
}

void GpuStage::forget_dispatches() {
  for (const auto& [dispatch, graph] : graphs_) {
    if (graph != nullptr) driver_->drop(graph);
  }
  graphs_.clear();
}

Status GpuStage::enqueue(const runtime::Dispatch& dispatch,
                         std::span<const runtime::Tensor> tensors) {
  return dispatch.enqueue(tensors, workspace_, stream_);
}

StatusOr<double> GpuStage::time_between(int from, int to) {
  KILN_ASSIGN_OR_RETURN(const double ns,
                        driver_->elapsed_ns(events_[size_t(from)], events_[size_t(to)]));
  return std::max(ns, 1.0);
}

}  // namespace kiln::tuner::worker
