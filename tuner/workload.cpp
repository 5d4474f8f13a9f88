#include "tuner/workload.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "core/expression.h"
#include "tuner/poison.h"

namespace kiln::tuner {

namespace {

constexpr int64_t kCacheLine = 64;  // alignment of buffers that are timed
constexpr char kCanary = char(0xC5);

bool is_argument(const Buffer& buffer) {
  return buffer.kind == Buffer::Kind::kInput || buffer.kind == Buffer::Kind::kOutput;
}

// Shape of a buffer, and its bytes; strides dense in the buffer's order.
StatusOr<HostTensor> evaluate(const Buffer& buffer, std::span<const std::string> names,
                              std::span<const int64_t> sizes) {
  HostTensor tensor{.name = buffer.name, .dtype = buffer.dtype, .shape = {}, .strides = {}};
  for (const std::string& text : buffer.shape) {
    KILN_ASSIGN_OR_RETURN(const Expression expression, Expression::parse(text, names));
    KILN_ASSIGN_OR_RETURN(const int64_t extent, expression.evaluate(sizes));
    if (extent < 0) {
      return absl::OutOfRangeError(absl::StrCat(buffer.name, ": an axis of ", extent, " elements"));
    }
    tensor.shape.push_back(extent);
  }
  std::vector<int> order = buffer.order;
  if (order.size() != tensor.shape.size()) {
    order.resize(tensor.shape.size());
    std::iota(order.begin(), order.end(), 0);
  }
  tensor.strides.resize(tensor.shape.size());
  int64_t stride = 1;
  for (size_t i = order.size(); i-- > 0;) {
    if (order[i] < 0 || size_t(order[i]) >= tensor.shape.size()) {
      return absl::InvalidArgumentError(absl::StrCat(buffer.name, ": order names no axis"));
    }
    tensor.strides[size_t(order[i])] = stride;
    if (__builtin_mul_overflow(stride, tensor.shape[size_t(order[i])], &stride)) {
      return absl::OutOfRangeError(absl::StrCat(buffer.name, ": more elements than 64 bits count"));
    }
  }
  return tensor;
}

int64_t bytes_of(const HostTensor& tensor) {
  int64_t bytes = int64_t(size_of(tensor.dtype));
  for (const int64_t extent : tensor.shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return INT64_MAX;
  }
  return bytes;
}

int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

}  // namespace

StatusOr<Footprint> footprint(const Plan& plan, const Problem& problem, int threads) {
  const auto names = symbol_names(plan);
  const auto sizes = problem.sizes();
  Footprint total;
  for (const Buffer& buffer : plan.buffers) {
    KILN_ASSIGN_OR_RETURN(const HostTensor tensor, evaluate(buffer, names, sizes));
    int64_t bytes = bytes_of(tensor);
    if (buffer.kind == Buffer::Kind::kPerWorker &&
        __builtin_mul_overflow(bytes, int64_t(threads), &bytes)) {
      bytes = INT64_MAX;
    }
    int64_t& sum = buffer.kind == Buffer::Kind::kInput    ? total.inputs
                   : buffer.kind == Buffer::Kind::kOutput ? total.outputs
                                                          : total.workspace;
    sum = saturating_add(sum, bytes);
  }
  if (saturating_add(saturating_add(total.inputs, total.outputs), total.workspace) == INT64_MAX) {
    return absl::OutOfRangeError("the buffers have more bytes than 64 bits count");
  }
  return total;
}

std::string element_name(const HostTensor& tensor, int64_t offset) {
  std::vector<size_t> axes(tensor.shape.size());
  std::iota(axes.begin(), axes.end(), size_t(0));
  std::sort(axes.begin(), axes.end(), [&](size_t a, size_t b) {
    if (tensor.strides[a] != tensor.strides[b]) return tensor.strides[a] > tensor.strides[b];
    return a < b;
  });
  std::vector<int64_t> index(axes.size());
  for (const size_t axis : axes) {
    if (tensor.shape[axis] <= 1 || tensor.strides[axis] == 0) continue;
    index[axis] = offset / tensor.strides[axis];
    offset -= index[axis] * tensor.strides[axis];
  }
  std::string text = tensor.name + "[";
  for (size_t i = 0; i < index.size(); ++i)
    absl::StrAppend(&text, i ? ", " : "", index[i]);
  return text + "]";
}

StatusOr<std::unique_ptr<Workload>> Workload::make(const Family& family, const Problem& problem,
                                                   const Plan& plan, int threads,
                                                   const WorkloadOptions& options,
                                                   std::stop_token stop) {
  KILN_ASSIGN_OR_RETURN(const Footprint need, footprint(plan, problem, threads));
  if (need.total() > options.memory_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("the problem's buffers need ", need.total(),
                                                     " bytes; the device has ",
                                                     options.memory_bytes, " for them"));
  }
  std::unique_ptr<Workload> workload(new Workload(problem));
  KILN_RETURN_IF_ERROR(workload->lay_out(plan, options));
  KILN_RETURN_IF_ERROR(workload->fill(family, options.seed, stop));
  return workload;
}

Workload::Workload(const Problem& problem) : problem_(problem) {
  static std::atomic<uint64_t> made = 0;
  id_ = ++made;
}

Status Workload::lay_out(const Plan& plan, const WorkloadOptions& options) {
  const auto names = symbol_names(plan);
  const auto sizes = problem_.sizes();
  for (const Buffer& buffer : plan.buffers) {
    if (!is_argument(buffer)) continue;
    KILN_ASSIGN_OR_RETURN(HostTensor tensor, evaluate(buffer, names, sizes));
    const bool output = buffer.kind == Buffer::Kind::kOutput;
    int64_t& guarded = output ? output_guarded_bytes_ : input_guarded_bytes_;
    int64_t& copy = output ? output_copy_bytes_ : input_copy_bytes_;
    const int64_t bytes = bytes_of(tensor);
    const int64_t region = std::max(round_to_pages(bytes), kPageBytes);
    // A stricter alignment than promised would hide kernels that assume one.
    const int64_t alignment = std::max(buffer.alignment, int64_t(size_of(buffer.dtype)));
    if (kPageBytes % alignment != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(buffer.name, ": alignment of ", alignment, " bytes"));
    }
    places_.push_back({.output = output,
                       .optional = buffer.optional,
                       .bytes = bytes,
                       .region_offset = guarded,
                       .region_bytes = region,
                       .data_offset = guarded + (region - bytes) / alignment * alignment,
                       .timing_offset = copy + (region - bytes) / kCacheLine * kCacheLine});
    guarded += region;
    copy += region;
    tensors_.push_back(std::move(tensor));
  }
  if (places_.size() > worker::kMaxTensors) {
    return absl::InvalidArgumentError(
        absl::StrCat("a plan with ", places_.size(), " arguments: at most ", worker::kMaxTensors));
  }
  for (worker::TensorPlace& place : places_) {
    place.timing_offset += place.output ? output_guarded_bytes_ : input_guarded_bytes_;
  }
  const int64_t set_bytes = input_copy_bytes_ + output_copy_bytes_;
  if (options.timed && set_bytes > 0) {
    const int64_t wanted = options.rotation_bytes / set_bytes + 1;
    // Half of the device's memory is left to workspaces and to everybody else.
    const int64_t affordable = (options.memory_bytes / 2 - set_bytes) / set_bytes;
    copies_ = std::clamp<int64_t>(wanted, 0, std::max<int64_t>(affordable, 0));
  }
  return absl::OkStatus();
}

Status Workload::fill(const Family& family, uint64_t seed, std::stop_token stop) {
  const auto size = [](int64_t guarded, int64_t copy, int64_t copies) {
    return std::max(guarded + copies * copy, kPageBytes);
  };
  KILN_ASSIGN_OR_RETURN(
      inputs_,
      MemoryFile::create("kiln-inputs", size(input_guarded_bytes_, input_copy_bytes_, copies_)));
  KILN_ASSIGN_OR_RETURN(
      outputs_,
      MemoryFile::create("kiln-outputs", size(output_guarded_bytes_, output_copy_bytes_, copies_)));
  {
    KILN_ASSIGN_OR_RETURN(const Mapping writable, inputs_.map(PROT_READ | PROT_WRITE));
    for (size_t i = 0; i < tensors_.size(); ++i) {
      const worker::TensorPlace& place = places_[i];
      if (place.output || place.bytes == 0) continue;
      tensors_[i].data = writable.data() + place.data_offset;
      family.fill_input(problem_, seed, tensors_[i]);
      for (int64_t copy = 0; copy < copies_; ++copy) {
        if (stop.stop_requested()) return absl::CancelledError("stopped");
        memcpy(writable.data() + place.timing_offset + copy * input_copy_bytes_, tensors_[i].data,
               size_t(place.bytes));
      }
    }
  }
  KILN_RETURN_IF_ERROR(inputs_.seal_contents());
  KILN_ASSIGN_OR_RETURN(input_mapping_, inputs_.map(PROT_READ));
  KILN_ASSIGN_OR_RETURN(output_mapping_,
                        Mapping::map(outputs_.fd(), 0, std::max(output_guarded_bytes_, kPageBytes),
                                     PROT_READ | PROT_WRITE, MAP_SHARED));
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const Mapping& mapping = places_[i].output ? output_mapping_ : input_mapping_;
    tensors_[i].data = mapping.data() + places_[i].data_offset;
  }
  return absl::OkStatus();
}

std::vector<HostTensor> Workload::tensors_without_optional() const {
  std::vector<HostTensor> tensors = tensors_;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (places_[i].optional) tensors[i].data = nullptr;
  }
  return tensors;
}

int64_t Workload::output_bytes() const {
  int64_t bytes = 0;
  for (const worker::TensorPlace& place : places_)
    bytes += place.output ? place.bytes : 0;
  return bytes;
}

template <class Visit>
void Workload::visit_canaries(Visit visit) const {
  for (size_t i = 0; i < places_.size(); ++i) {
    const worker::TensorPlace& place = places_[i];
    if (!place.output) continue;
    const int64_t end = place.data_offset + place.bytes;
    visit(i, place.region_offset, place.data_offset);
    visit(i, end, place.region_offset + place.region_bytes);
  }
}

void Workload::poison() {
  for (size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].output) fill_poison(tensors_[i].dtype, tensors_[i].data, places_[i].bytes);
  }
  visit_canaries([&](size_t, int64_t begin, int64_t end) {
    memset(output_mapping_.data() + begin, kCanary, size_t(end - begin));
  });
}

std::optional<std::string> Workload::stray_write() const {
  std::optional<std::string> stray;
  visit_canaries([&](size_t i, int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end && !stray; ++at) {
      if (output_mapping_.data()[at] == kCanary) continue;
      const int64_t offset = at - places_[i].data_offset;
      stray = offset < 0 ? absl::StrCat("wrote ", -offset, " bytes before ", tensors_[i].name)
                         : absl::StrCat("wrote ", offset - places_[i].bytes + 1,
                                        " bytes past the end of ", tensors_[i].name);
    }
  });
  return stray;
}

std::optional<std::string> Workload::not_finite(bool without_optional) const {
  for (size_t i = 0; i < places_.size(); ++i) {
    if (!places_[i].output || (without_optional && places_[i].optional)) continue;
    const HostTensor& tensor = tensors_[i];
    const int64_t elements = places_[i].bytes / int64_t(size_of(tensor.dtype));
    const int64_t found = find_nan(tensor.dtype, tensor.data, elements);
    if (found == elements) continue;
    return absl::StrCat(element_name(tensor, found),
                        is_poison(tensor, found) ? " was never written" : " is NaN");
  }
  return std::nullopt;
}

void Workload::describe(worker::RunRequest& request) const {
  request.tensors = int32_t(places_.size());
  std::copy(places_.begin(), places_.end(), request.tensor);
  const auto sizes = problem_.sizes();
  const auto scalars = problem_.scalars();
  request.symbols = int32_t(std::min<size_t>(sizes.size(), worker::kMaxSymbols));
  request.scalars = int32_t(std::min<size_t>(scalars.size(), worker::kMaxScalars));
  std::copy_n(sizes.begin(), request.symbols, request.symbol);
  std::copy_n(scalars.begin(), request.scalars, request.scalar);
  request.input_guarded_bytes = input_guarded_bytes_;
  request.output_guarded_bytes = output_guarded_bytes_;
  request.input_copy_bytes = input_copy_bytes_;
  request.output_copy_bytes = output_copy_bytes_;
  request.copies = copies_;
}

}  // namespace kiln::tuner
