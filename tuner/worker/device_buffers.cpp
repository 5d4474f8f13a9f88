#include "tuner/worker/device_buffers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>

namespace kiln::tuner::worker {

namespace {

constexpr int64_t kZoneBytes = 64 << 10;
constexpr char kMark = char(0xC5);
constexpr int64_t kPieceBytes = 4 << 20;  // compared at a time

void* pointer(runtime::GpuDriver::Address address) {
  return reinterpret_cast<void*>(address);  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace

DeviceBuffers::Address DeviceBuffers::Region::content() const {
  return begin + kZoneBytes;
}

StatusOr<DeviceBuffers> DeviceBuffers::make(runtime::GpuDriver& driver,
                                            runtime::GpuDriver::Handle stream,
                                            const RunRequest& request, int inputs, int outputs) {
  DeviceBuffers buffers;
  buffers.driver_ = &driver;
  buffers.stream_ = stream;
  buffers.request_ = &request;
  KILN_ASSIGN_OR_RETURN(buffers.host_, ChildBuffers::map(request, inputs, outputs));
  for (const runtime::Tensor& tensor : buffers.host_.guarded(false))
    buffers.host_data_.push_back(static_cast<char*>(tensor.data));
  for (int i = 0; i < request.tensors; ++i) {
    KILN_ASSIGN_OR_RETURN(const Region region, buffers.allocate(request.tensor[i].region_bytes));
    buffers.regions_.push_back(region);
    if (request.tensor[i].output) continue;
    KILN_RETURN_IF_ERROR(driver.upload(region.content(), buffers.shared(i), region.bytes));
  }
  return buffers;
}

StatusOr<DeviceBuffers::Region> DeviceBuffers::allocate(int64_t bytes) {
  Region region{.begin = 0, .bytes = bytes};
  KILN_ASSIGN_OR_RETURN(region.begin, driver_->allocate(bytes + 2 * kZoneBytes));
  KILN_RETURN_IF_ERROR(driver_->fill(region.begin, uint8_t(kMark), kZoneBytes, stream_));
  KILN_RETURN_IF_ERROR(
      driver_->fill(region.content() + uint64_t(bytes), uint8_t(kMark), kZoneBytes, stream_));
  KILN_RETURN_IF_ERROR(driver_->synchronize(stream_));
  return region;
}

char* DeviceBuffers::shared(int tensor) const {
  const TensorPlace& place = request_->tensor[tensor];
  return host_data_[size_t(tensor)] - (place.data_offset - place.region_offset);
}

DeviceBuffers::Address DeviceBuffers::address(int tensor) const {
  const TensorPlace& place = request_->tensor[tensor];
  return regions_[size_t(tensor)].content() + uint64_t(place.data_offset - place.region_offset);
}

Status DeviceBuffers::bring() {
  for (int i = 0; i < request_->tensors; ++i) {
    if (!request_->tensor[i].output) continue;
    const Region& region = regions_[size_t(i)];
    KILN_RETURN_IF_ERROR(driver_->upload(region.content(), shared(i), region.bytes));
  }
  // An upload may still be under way when it returns, and other streams do not wait for it.
  return driver_->synchronize(nullptr);
}

std::vector<runtime::Tensor> DeviceBuffers::guarded(bool without_optional) const {
  std::vector<runtime::Tensor> tensors(regions_.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!(without_optional && request_->tensor[i].optional)) {
      tensors[i].data = pointer(address(int(i)));
    }
  }
  return tensors;
}

Status DeviceBuffers::fetch(std::span<const HostTensor> arguments) {
  for (int i = 0; i < request_->tensors; ++i) {
    const Region& region = regions_[size_t(i)];
    const TensorPlace& place = request_->tensor[i];
    const std::string& name = arguments[size_t(i)].name;
    const int64_t lead = place.data_offset - place.region_offset;
    KILN_RETURN_IF_ERROR(check_zones(region, name, lead, region.bytes - lead - place.bytes));
    if (place.output) {
      KILN_RETURN_IF_ERROR(driver_->download(shared(i), region.content(), region.bytes));
    } else {
      KILN_RETURN_IF_ERROR(check_input(i, name));
    }
  }
  return workspace_.begin == 0 ? absl::OkStatus() : check_zones(workspace_, "its workspace", 0, 0);
}

StatusOr<DeviceBuffers::Stray> DeviceBuffers::find_stray(const Region& region) {
  scratch_.resize(size_t(kPieceBytes));
  const auto begin = scratch_.begin(), end = begin + kZoneBytes;
  const auto changed = [](char byte) { return byte != kMark; };
  KILN_RETURN_IF_ERROR(driver_->download(scratch_.data(), region.begin, kZoneBytes));
  const auto last = std::find_if(std::reverse_iterator(end), std::reverse_iterator(begin), changed);
  if (last.base() != begin) return Stray{.before = true, .bytes = end - last.base() + 1};
  KILN_RETURN_IF_ERROR(
      driver_->download(scratch_.data(), region.content() + uint64_t(region.bytes), kZoneBytes));
  const auto first = std::find_if(begin, end, changed);
  if (first != end) return Stray{.before = false, .bytes = first - begin + 1};
  return Stray{};
}

// The 64 KiB around are not all that a launch may hit; what lies further off is another tensor's,
// or nobody's, which the device itself refuses.
Status DeviceBuffers::check_zones(const Region& region, std::string_view name, int64_t lead,
                                  int64_t tail) {
  KILN_ASSIGN_OR_RETURN(const Stray stray, find_stray(region));
  if (stray.bytes == 0) return absl::OkStatus();
  return absl::DataLossError(
      stray.before ? fmt::format("wrote {} bytes before {}", stray.bytes + lead, name)
                   : fmt::format("wrote {} bytes past the end of {}", stray.bytes + tail, name));
}

Status DeviceBuffers::check_input(int tensor, std::string_view name) {
  const Region& region = regions_[size_t(tensor)];
  const TensorPlace& place = request_->tensor[tensor];
  scratch_.resize(size_t(kPieceBytes));
  for (int64_t done = 0; done < region.bytes; done += kPieceBytes) {
    const int64_t bytes = std::min(kPieceBytes, region.bytes - done);
    KILN_RETURN_IF_ERROR(
        driver_->download(scratch_.data(), region.content() + uint64_t(done), bytes));
    const char* expected = shared(tensor) + done;
    if (memcmp(scratch_.data(), expected, size_t(bytes)) == 0) continue;
    const auto found = std::mismatch(scratch_.begin(), scratch_.begin() + bytes, expected);
    const int64_t at = done + (found.first - scratch_.begin()) + place.region_offset;
    return absl::DataLossError(
        fmt::format("wrote into its input at byte {} of {}", at - place.data_offset, name));
  }
  return absl::OkStatus();
}

StatusOr<std::vector<runtime::Tensor>> DeviceBuffers::timed() {
  if (timed_.size() == regions_.size()) return timed_;
  std::vector<runtime::Tensor> tensors(regions_.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorPlace& place = request_->tensor[i];
    const StatusOr<Address> memory = driver_->allocate(place.bytes);
    if (absl::IsResourceExhausted(memory.status())) {  // the first set has to do
      KILN_RETURN_IF_ERROR(driver_->synchronize(stream_));
      for (size_t made = 0; made < i; ++made)
        driver_->free(reinterpret_cast<Address>(tensors[made].data));
      timed_ = guarded(false);
      return timed_;
    }
    KILN_RETURN_IF_ERROR(memory.status());
    KILN_RETURN_IF_ERROR(driver_->copy(*memory, address(int(i)), place.bytes, stream_));
    tensors[i].data = pointer(*memory);
  }
  KILN_RETURN_IF_ERROR(driver_->synchronize(stream_));
  timed_ = std::move(tensors);
  return timed_;
}

StatusOr<void*> DeviceBuffers::make_workspace(int64_t bytes, bool zero) {
  constexpr uint8_t kNan = 0xff;  // all ones: a variant that reads what it has not written shows
  if (workspace_.begin != 0 && workspace_.bytes != bytes) {
    driver_->free(workspace_.begin);
    workspace_ = {};
  }
  if (bytes == 0) return nullptr;
  if (workspace_.begin == 0) {
    KILN_ASSIGN_OR_RETURN(workspace_, allocate(bytes));
  }
  KILN_RETURN_IF_ERROR(driver_->fill(workspace_.content(), zero ? 0 : kNan, bytes, stream_));
  KILN_RETURN_IF_ERROR(driver_->synchronize(stream_));
  return pointer(workspace_.content());
}

}  // namespace kiln::tuner::worker
