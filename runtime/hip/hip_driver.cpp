#include "runtime/hip/hip_driver.h"

#include <fmt/format.h>

#include <array>

#include "runtime/gpu/library_driver.h"

namespace kiln::runtime {
namespace {

constexpr std::array kLibraries = {"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5",
                                   "libamdhip64.so"};
constexpr std::string_view kRemedy = "install ROCm's HIP run time where there is such a GPU";

constexpr DriverNames kNames = {
    .initialise = "hipInit",
    .driver_version = "hipDriverGetVersion",
    .device_count = "hipGetDeviceCount",
    .device = "hipDeviceGet",
    .device_name = "hipDeviceGetName",
    .device_memory = "hipDeviceTotalMem",
    .allocate = "hipMalloc",
    .free = "hipFree",
    .upload = "hipMemcpyHtoD",
    .download = "hipMemcpyDtoH",
    .load = "hipModuleLoadData",
    .unload = "hipModuleUnload",
    .entry = "hipModuleGetFunction",
    .launch = "hipModuleLaunchKernel",
    .fill = "hipMemsetD8Async",
    .copy = "hipMemcpyDtoDAsync",
    .stream = "hipStreamCreateWithFlags",
    .wait_stream = "hipStreamSynchronize",
    .synchronize = "hipDeviceSynchronize",
    .event = "hipEventCreateWithFlags",
    .record = "hipEventRecord",
    .wait_event = "hipEventSynchronize",
    .elapsed_ms = "hipEventElapsedTime",
};
constexpr GraphNames kGraphNames = {
    .begin = "hipStreamBeginCapture",
    .end = "hipStreamEndCapture",
    .instantiate = "hipGraphInstantiateWithFlags",
    .launch = "hipGraphLaunch",
    .destroy = "hipGraphDestroy",
    .destroy_executable = "hipGraphExecDestroy",
};

class HipDriver final : public LibraryDriver {
 public:
  static StatusOr<std::unique_ptr<GpuDriver>> open() {
    KILN_ASSIGN_OR_RETURN(const DriverLibrary library, DriverLibrary::open(kLibraries, kRemedy));
    KILN_ASSIGN_OR_RETURN(const DriverFunctions functions, library.find_all(kNames));
    std::unique_ptr<HipDriver> driver(new HipDriver(functions, library.find_graphs(kGraphNames)));
    KILN_RETURN_IF_ERROR(library.find("hipSetDevice", driver->set_device_));
    KILN_RETURN_IF_ERROR(library.find("hipGetErrorString", driver->error_text_));
    KILN_RETURN_IF_ERROR(driver->check(functions.initialise(0), "HIP does not start"));
    KILN_RETURN_IF_ERROR(
        driver->check(functions.driver_version(&driver->version_), "no driver version"));
    driver->nodes_ = kfd_nodes();
    return driver;
  }

  std::string version() const override {
    constexpr int kMajor = 10'000'000, kMinor = 100'000;
    return fmt::format("HIP {}.{}", version_ / kMajor, version_ % kMajor / kMinor);
  }

  // What HIP's own structure says changes its layout from version to version; the kernel's does
  // not.
  StatusOr<GpuProperties> properties(int ordinal) const override {
    KILN_ASSIGN_OR_RETURN(GpuProperties properties, common_properties(ordinal));
    if (size_t(ordinal) >= nodes_.size()) {
      return absl::UnavailableError(
          fmt::format("the kernel's amdgpu driver shows no device {}; load it", ordinal));
    }
    const KfdNode& node = nodes_[size_t(ordinal)];
    properties.architecture = node.architecture;
    properties.multiprocessors = node.compute_units;
    properties.scratchpad_bytes = node.scratchpad_bytes;
    properties.l2_bytes = node.l2_bytes;
    return properties;
  }

  Status use(int ordinal) override {
    return check(set_device_(ordinal), fmt::format("cannot use device {}", ordinal));
  }

 private:
  HipDriver(const DriverFunctions& functions, const GraphFunctions& graphs)
      : LibraryDriver(functions, graphs) {}

  Meaning meaning_of(int error) const override {
    switch (error) {
      case 2:  // hipErrorOutOfMemory
        return Meaning::kOutOfMemory;
      case 100:  // hipErrorNoDevice
      case 101:  // hipErrorInvalidDevice
        return Meaning::kNoDevice;
      case 201:  // hipErrorInvalidContext
        return Meaning::kNoContext;
      case 35:  // hipErrorInsufficientDriver
        return Meaning::kTooOld;
      case 700:  // hipErrorIllegalAddress
      case 702:  // hipErrorLaunchTimeOut
      case 719:  // hipErrorLaunchFailure
        return Meaning::kLost;
      default:
        return Meaning::kOther;
    }
  }

  std::string text_of(int error) const override {
    const char* text = error_text_(error);
    return fmt::format("{} (HIP error {})", text ? text : "unknown", error);
  }

  // A block may have all there is.
  Status allow_scratchpad(Handle, int64_t) override { return absl::OkStatus(); }

  int (*set_device_)(int) = nullptr;
  const char* (*error_text_)(int) = nullptr;
  int version_ = 0;
  std::vector<KfdNode> nodes_;
};

}  // namespace

StatusOr<std::unique_ptr<GpuDriver>> open_hip_driver() {
  return HipDriver::open();
}

}  // namespace kiln::runtime
