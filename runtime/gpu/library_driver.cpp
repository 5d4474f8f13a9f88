#include "runtime/gpu/library_driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace kiln::runtime {

Status LibraryDriver::check(int error, std::string_view what) const {
  if (error == 0) return absl::OkStatus();
  const std::string text = fmt::format("{}: {}", what, text_of(error));
  switch (meaning_of(error)) {
    case Meaning::kNoDevice:
      return absl::UnavailableError(text + "; the driver sees no device that it can use");
    case Meaning::kNoContext:
      return absl::FailedPreconditionError(
          text + "; make the device's context current in this thread first");
    case Meaning::kTooOld:
      return absl::UnavailableError(text + "; the driver is too old; install a newer one");
    case Meaning::kOutOfMemory:
      return absl::ResourceExhaustedError(text);
    case Meaning::kLost:
      return absl::AbortedError(text + "; the device is lost to this process");
    case Meaning::kOther:
      break;
  }
  return absl::InternalError(text);
}

StatusOr<int> LibraryDriver::devices() const {
  int count = 0;
  KILN_RETURN_IF_ERROR(check(calls_.device_count(&count), "cannot count devices"));
  return count;
}

StatusOr<GpuProperties> LibraryDriver::common_properties(int ordinal) const {
  GpuProperties properties;
  std::array<char, 256> name{};
  size_t bytes = 0;
  int device = 0;
  KILN_RETURN_IF_ERROR(
      check(calls_.device(&device, ordinal), fmt::format("no device {}", ordinal)));
  KILN_RETURN_IF_ERROR(
      check(calls_.device_name(name.data(), int(name.size()) - 1, device), "cannot name a device"));
  KILN_RETURN_IF_ERROR(check(calls_.device_memory(&bytes, device), "cannot see its memory"));
  properties.model = name.data();
  // A fingerprint's text separates its parts by this.
  std::ranges::replace(properties.model, '/', ' ');
  properties.memory_bytes = int64_t(bytes);
  return properties;
}

StatusOr<GpuDriver::Address> LibraryDriver::allocate(int64_t bytes) {
  Address address = 0;
  KILN_RETURN_IF_ERROR(check(calls_.allocate(&address, size_t(std::max<int64_t>(bytes, 1))),
                             fmt::format("cannot allocate {} bytes", bytes)));
  return address;
}

void LibraryDriver::free(Address address) {
  calls_.free(address);
}

Status LibraryDriver::upload(Address to, const void* from, int64_t bytes) {
  return bytes == 0 ? absl::OkStatus()
                    : check(calls_.upload(to, from, size_t(bytes)), "cannot copy to the device");
}

Status LibraryDriver::download(void* to, Address from, int64_t bytes) {
  return bytes == 0
             ? absl::OkStatus()
             : check(calls_.download(to, from, size_t(bytes)), "cannot copy from the device");
}

StatusOr<GpuDriver::Handle> LibraryDriver::load(std::string_view artifact) {
  // PTX and code objects carry their length; the driver wants text to end in a zero.
  const std::string bytes(artifact);
  Handle module = nullptr;
  KILN_RETURN_IF_ERROR(check(calls_.load(&module, bytes.c_str()), "cannot load the kernel"));
  return module;
}

void LibraryDriver::unload(Handle module) {
  calls_.unload(module);
}

StatusOr<GpuDriver::Handle> LibraryDriver::entry(Handle module, const std::string& name,
                                                 int64_t scratchpad_bytes) {
  Handle entry = nullptr;
  KILN_RETURN_IF_ERROR(check(calls_.entry(&entry, module, name.c_str()),
                             fmt::format("the kernel has no entry {}", printable(name))));
  KILN_RETURN_IF_ERROR(allow_scratchpad(entry, scratchpad_bytes));
  return entry;
}

Status LibraryDriver::launch(const Launch& launch, Handle stream) {
  void* parameters[] = {const_cast<void*>(launch.parameter)};
  return check(calls_.launch(launch.entry, launch.grid[0], launch.grid[1], launch.grid[2],
                             launch.block[0], launch.block[1], launch.block[2],
                             launch.scratchpad_bytes, stream, parameters, nullptr),
               "cannot launch");
}

Status LibraryDriver::fill(Address to, uint8_t byte, int64_t bytes, Handle stream) {
  return bytes == 0
             ? absl::OkStatus()
             : check(calls_.fill(to, byte, size_t(bytes), stream), "cannot fill device memory");
}

Status LibraryDriver::copy(Address to, Address from, int64_t bytes, Handle stream) {
  return bytes == 0
             ? absl::OkStatus()
             : check(calls_.copy(to, from, size_t(bytes), stream), "cannot copy on the device");
}

StatusOr<GpuDriver::Handle> LibraryDriver::make_stream() {
  constexpr unsigned kBesideTheDefault = 1;  // CU_STREAM_NON_BLOCKING, hipStreamNonBlocking
  Handle stream = nullptr;
  KILN_RETURN_IF_ERROR(check(calls_.stream(&stream, kBesideTheDefault), "cannot make a stream"));
  return stream;
}

Status LibraryDriver::synchronize(Handle stream) {
  return check(calls_.wait_stream(stream), "a kernel failed");
}

Status LibraryDriver::synchronize() {
  return check(calls_.synchronize(), "a kernel failed");
}

StatusOr<GpuDriver::Handle> LibraryDriver::make_event() {
  Handle event = nullptr;
  KILN_RETURN_IF_ERROR(check(calls_.event(&event, 0), "cannot make an event"));
  return event;
}

Status LibraryDriver::record(Handle event, Handle stream) {
  return check(calls_.record(event, stream), "cannot record an event");
}

StatusOr<double> LibraryDriver::elapsed_ns(Handle from, Handle to) {
  constexpr double kNsPerMs = 1e6;
  float ms = 0;
  KILN_RETURN_IF_ERROR(check(calls_.wait_event(to), "a kernel failed"));
  KILN_RETURN_IF_ERROR(check(calls_.elapsed_ms(&ms, from, to), "cannot read an event"));
  return double(ms) * kNsPerMs;
}

StatusOr<GpuDriver::Handle> LibraryDriver::capture(Handle stream,
                                                   const std::function<Status()>& enqueue) {
  constexpr int kRelaxed = 2;  // CU_STREAM_CAPTURE_MODE_RELAXED, hipStreamCaptureModeRelaxed
  if (graphs_.begin == nullptr) return absl::UnimplementedError("the driver has no graphs");
  KILN_RETURN_IF_ERROR(check(graphs_.begin(stream, kRelaxed), "cannot capture a graph"));
  Status status = enqueue();
  Handle graph = nullptr;
  status.Update(check(graphs_.end(stream, &graph), "cannot capture a graph"));
  Handle executable = nullptr;
  if (status.ok()) {
    status = check(graphs_.instantiate(&executable, graph, 0), "cannot make a graph");
  }
  if (graph != nullptr) graphs_.destroy(graph);
  if (!status.ok()) return status;
  return executable;
}

Status LibraryDriver::replay(Handle graph, Handle stream) {
  return check(graphs_.launch(graph, stream), "cannot launch a graph");
}

void LibraryDriver::drop(Handle graph) {
  graphs_.destroy_executable(graph);
}

}  // namespace kiln::runtime
