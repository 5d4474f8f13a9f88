#include "runtime/cuda/cuda_driver.h"

#include <fmt/format.h>

#include <array>

#include "runtime/cuda/nvml.h"
#include "runtime/gpu/library_driver.h"

namespace kiln::runtime {
namespace {

constexpr std::array kLibraries = {"libcuda.so.1", "libcuda.so"};
constexpr std::string_view kRemedy = "install NVIDIA's driver for Linux where there is such a GPU";
// Loads cubins of the compilers that Kiln works with.
constexpr int kOldestDriver = 12000;
// Scratchpad that an entry may have without asking for more.
constexpr int64_t kFreeScratchpad = 48 << 10;

constexpr DriverNames kNames = {
    .initialise = "cuInit",
    .driver_version = "cuDriverGetVersion",
    .device_count = "cuDeviceGetCount",
    .device = "cuDeviceGet",
    .device_name = "cuDeviceGetName",
    .device_memory = "cuDeviceTotalMem_v2",
    .allocate = "cuMemAlloc_v2",
    .free = "cuMemFree_v2",
    .upload = "cuMemcpyHtoD_v2",
    .download = "cuMemcpyDtoH_v2",
    .load = "cuModuleLoadData",
    .unload = "cuModuleUnload",
    .entry = "cuModuleGetFunction",
    .launch = "cuLaunchKernel",
    .fill = "cuMemsetD8Async",
    .copy = "cuMemcpyDtoDAsync_v2",
    .stream = "cuStreamCreate",
    .wait_stream = "cuStreamSynchronize",
    .synchronize = "cuCtxSynchronize",
    .event = "cuEventCreate",
    .record = "cuEventRecord",
    .wait_event = "cuEventSynchronize",
    .elapsed_ms = "cuEventElapsedTime",
};
constexpr GraphNames kGraphNames = {
    .begin = "cuStreamBeginCapture_v2",
    .end = "cuStreamEndCapture",
    .instantiate = "cuGraphInstantiateWithFlags",
    .launch = "cuGraphLaunch",
    .destroy = "cuGraphDestroy",
    .destroy_executable = "cuGraphExecDestroy",
};

// CUdevice_attribute and CUfunction_attribute.
enum Attribute : int {
  kMultiprocessors = 16,
  kL2Bytes = 38,
  kMajor = 75,
  kMinor = 76,
  kBlockScratchpad = 97
};
constexpr int kMaxDynamicScratchpad = 8;

// CUtensorMapDataType, by Dtype's order.
constexpr int kMapTypes[] = {/* f32 */ 7, /* f16 */ 6, /* bf16 */ 9,
                             /* f64 */ 8, /* i32 */ 3, /* i64 */ 5};
// CUtensorMapL2promotion: as many bytes as a panel of scratchpad holds.
constexpr int kPromotes128Bytes = 2;

class CudaDriver final : public LibraryDriver {
 public:
  static StatusOr<std::unique_ptr<GpuDriver>> open() {
    KILN_ASSIGN_OR_RETURN(const DriverLibrary library, DriverLibrary::open(kLibraries, kRemedy));
    KILN_ASSIGN_OR_RETURN(const DriverFunctions functions, library.find_all(kNames));
    std::unique_ptr<CudaDriver> driver(new CudaDriver(functions, library.find_graphs(kGraphNames)));
    KILN_RETURN_IF_ERROR(driver->find_own(library));
    KILN_RETURN_IF_ERROR(driver->check(functions.initialise(0), "the CUDA driver does not start"));
    KILN_RETURN_IF_ERROR(
        driver->check(functions.driver_version(&driver->version_), "no driver version"));
    if (driver->version_ < kOldestDriver) {
      return absl::UnavailableError(
          fmt::format("{} is too old: kernels need {}.0; install a newer one", driver->version(),
                      kOldestDriver / 1000));
    }
    return driver;
  }

  std::string version() const override {
    return fmt::format("CUDA driver {}.{}", version_ / 1000, version_ % 1000 / 10);
  }

  StatusOr<GpuProperties> properties(int ordinal) const override {
    KILN_ASSIGN_OR_RETURN(GpuProperties properties, common_properties(ordinal));
    auto attribute = [&](Attribute which) -> StatusOr<int> {
      int value = 0;
      KILN_RETURN_IF_ERROR(
          check(attribute_(&value, which, ordinal), fmt::format("device {}", ordinal)));
      return value;
    };
    KILN_ASSIGN_OR_RETURN(const int major, attribute(kMajor));
    KILN_ASSIGN_OR_RETURN(const int minor, attribute(kMinor));
    KILN_ASSIGN_OR_RETURN(properties.multiprocessors, attribute(kMultiprocessors));
    KILN_ASSIGN_OR_RETURN(properties.scratchpad_bytes, attribute(kBlockScratchpad));
    KILN_ASSIGN_OR_RETURN(properties.l2_bytes, attribute(kL2Bytes));
    // Hopper's own instructions are behind the architecture-specific form.
    properties.architecture = fmt::format("sm_{}{}{}", major, minor, major == 9 ? "a" : "");
    return properties;
  }

  Status use(int ordinal) override {
    Handle context = nullptr;
    KILN_RETURN_IF_ERROR(
        check(retain_(&context, ordinal), fmt::format("cannot use device {}", ordinal)));
    KILN_RETURN_IF_ERROR(
        check(set_current_(context), fmt::format("cannot use device {}", ordinal)));
    std::array<char, 32> bus{};
    if (bus_id_(bus.data(), int(bus.size()), ordinal) == 0) nvml_ = Nvml::open(bus.data());
    return absl::OkStatus();
  }

  StatusOr<MapWords> encode(const MappedTensor& mapped) const override {
    if (encode_map_ == nullptr) {
      return absl::UnavailableError(
          "libcuda lacks cuTensorMapEncodeTiled, which this kernel's copies need; install a newer "
          "driver");
    }
    struct alignas(64) {
      MapWords words;
    } map{};
    const std::array<uint32_t, 5> element_strides = {1, 1, 1, 1, 1};
    KILN_RETURN_IF_ERROR(
        check(encode_map_(&map, kMapTypes[size_t(mapped.dtype)], mapped.rank, mapped.address,
                          mapped.sizes.data(), mapped.strides.data() + 1, mapped.box.data(),
                          element_strides.data(), /*interleave=*/0, int(mapped.swizzle),
                          kPromotes128Bytes, /*fill with NaN=*/0),
              "cannot encode a tensor map"));
    return map.words;
  }

  std::optional<GpuConditions> conditions() const override {
    return nvml_ == nullptr ? std::nullopt : nvml_->conditions();
  }

 private:
  CudaDriver(const DriverFunctions& functions, const GraphFunctions& graphs)
      : LibraryDriver(functions, graphs) {}

  Status find_own(const DriverLibrary& library) {
    Status status = library.find("cuDeviceGetAttribute", attribute_);
    status.Update(library.find("cuDeviceGetPCIBusId", bus_id_));
    status.Update(library.find("cuDevicePrimaryCtxRetain", retain_));
    status.Update(library.find("cuCtxSetCurrent", set_current_));
    status.Update(library.find("cuFuncSetAttribute", set_attribute_));
    status.Update(library.find("cuGetErrorString", error_text_));
    // Only kernels whose plans have tensor maps need it.
    library.find("cuTensorMapEncodeTiled", encode_map_).IgnoreError();
    return status;
  }

  Meaning meaning_of(int error) const override {
    switch (error) {
      case 2:  // CUDA_ERROR_OUT_OF_MEMORY
        return Meaning::kOutOfMemory;
      case 100:  // CUDA_ERROR_NO_DEVICE
      case 101:  // CUDA_ERROR_INVALID_DEVICE
        return Meaning::kNoDevice;
      case 201:  // CUDA_ERROR_INVALID_CONTEXT
        return Meaning::kNoContext;
      case 35:   // CUDA_ERROR_INSUFFICIENT_DRIVER
      case 803:  // CUDA_ERROR_SYSTEM_DRIVER_MISMATCH
        return Meaning::kTooOld;
      case 46:   // CUDA_ERROR_DEVICE_UNAVAILABLE
      case 214:  // CUDA_ERROR_ECC_UNCORRECTABLE
      case 700:  // CUDA_ERROR_ILLEGAL_ADDRESS
      case 702:  // CUDA_ERROR_LAUNCH_TIMEOUT
      case 714:  // CUDA_ERROR_HARDWARE_STACK_ERROR
      case 715:  // CUDA_ERROR_ILLEGAL_INSTRUCTION
      case 716:  // CUDA_ERROR_MISALIGNED_ADDRESS
      case 717:  // CUDA_ERROR_INVALID_ADDRESS_SPACE
      case 718:  // CUDA_ERROR_INVALID_PC
      case 719:  // CUDA_ERROR_LAUNCH_FAILED
        return Meaning::kLost;
      default:
        return Meaning::kOther;
    }
  }

  std::string text_of(int error) const override {
    const char* text = nullptr;
    if (error_text_(error, &text) != 0 || text == nullptr) return fmt::format("error {}", error);
    return fmt::format("{} (CUDA error {})", text, error);
  }

  Status allow_scratchpad(Handle entry, int64_t bytes) override {
    if (bytes <= kFreeScratchpad) return absl::OkStatus();
    return check(set_attribute_(entry, kMaxDynamicScratchpad, int(bytes)),
                 fmt::format("cannot give a block {} bytes of scratchpad", bytes));
  }

  int (*attribute_)(int*, int, int) = nullptr;
  int (*bus_id_)(char*, int length, int device) = nullptr;
  int (*retain_)(Handle*, int) = nullptr;
  int (*set_current_)(Handle) = nullptr;
  int (*set_attribute_)(Handle, int, int) = nullptr;
  int (*error_text_)(int, const char**) = nullptr;
  int (*encode_map_)(void* map, int type, uint32_t rank, uint64_t address, const uint64_t* sizes,
                     const uint64_t* strides, const uint32_t* box, const uint32_t* element_strides,
                     int interleave, int swizzle, int promotion, int fill) = nullptr;
  int version_ = 0;
  std::unique_ptr<Nvml> nvml_;  // of the device in use
};

}  // namespace

StatusOr<std::unique_ptr<GpuDriver>> open_cuda_driver() {
  return CudaDriver::open();
}

}  // namespace kiln::runtime
