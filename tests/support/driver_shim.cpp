// A stand-in for NVIDIA's driver in tests: "device" memory is the host's, and the one kernel it can
// run is the scale kernel of tests/runtime/small_kernel.h (y[i] = factor x[i], the factor being the
// module's text). KILN_SHIM_FAULT, when it is compiled, says what is wrong with it; a test that has
// it in its own process can change its mind through `kiln_shim_fault`:
//
//     0 nothing   1 too old   2 functions missing   3 no device   4 the device is lost at a launch
//     5 counting devices hangs   6 counting devices kills the process

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr int kNoDevice = 100, kInvalidDevice = 101, kNotFound = 500, kLaunchFailed = 719;

using Clock = std::chrono::steady_clock;

struct Module {
  float factor;
};

bool lost = false;

int state() {
  return lost ? kLaunchFailed : 0;
}

}  // namespace

#define SHIM extern "C" __attribute__((visibility("default")))

SHIM int kiln_shim_fault;
int kiln_shim_fault = KILN_SHIM_FAULT;

SHIM int cuInit(unsigned) {
  return kiln_shim_fault == 3 ? kNoDevice : 0;
}
SHIM int cuDriverGetVersion(int* version) {
  *version = kiln_shim_fault == 1 ? 11040 : 12080;
  return 0;
}
SHIM int cuDeviceGetCount(int* count) {
  if (kiln_shim_fault == 5) {
    for (;;)
      pause();
  }
  if (kiln_shim_fault == 6) abort();
  *count = 2;
  return 0;
}
SHIM int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return ordinal < 2 ? 0 : kInvalidDevice;
}
SHIM int cuDeviceGetName(char* name, int length, int device) {
  strncpy(name, device == 0 ? "Shim A100/80GB" : "Shim GPU of another age", size_t(length));
  return 0;
}
SHIM int cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = size_t{80} << 30;
  return 0;
}
SHIM int cuDeviceGetAttribute(int* value, int attribute, int device) {
  switch (attribute) {
    case 16:
      *value = 108;
      return 0;
    case 38:
      *value = 40 << 20;
      return 0;
    case 75:
      *value = device == 0 ? 8 : 3;
      return 0;
    case 76:
      *value = device == 0 ? 6 : 5;
      return 0;
    case 97:
      *value = 99 << 10;
      return 0;
    default:
      return 1;
  }
}
SHIM int cuDevicePrimaryCtxRetain(void** context, int) {
  *context = &lost;
  return 0;
}
SHIM int cuCtxSetCurrent(void*) {
  return 0;
}
SHIM int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
  if (bytes > size_t{1} << 40) return 2;
  *address = reinterpret_cast<uint64_t>(malloc(bytes));
  return state();
}
SHIM int cuMemFree_v2(uint64_t address) {
  free(reinterpret_cast<void*>(address));
  return 0;
}
SHIM int cuMemcpyHtoD_v2(uint64_t to, const void* from, size_t bytes) {
  memcpy(reinterpret_cast<void*>(to), from, bytes);
  return state();
}
SHIM int cuMemcpyDtoH_v2(void* to, uint64_t from, size_t bytes) {
  memcpy(to, reinterpret_cast<const void*>(from), bytes);
  return state();
}
SHIM int cuMemsetD8_v2(uint64_t to, unsigned char byte, size_t bytes) {
  memset(reinterpret_cast<void*>(to), byte, bytes);
  return state();
}
SHIM int cuModuleLoadData(void** module, const void* bytes) {
  *module = new Module{strtof(static_cast<const char*>(bytes), nullptr)};
  return state();
}
SHIM int cuModuleUnload(void* module) {
  delete static_cast<Module*>(module);
  return 0;
}
SHIM int cuModuleGetFunction(void** function, void* module, const char* name) {
  *function = module;
  return strcmp(name, "scale") == 0 ? 0 : kNotFound;
}
SHIM int cuFuncSetAttribute(void*, int, int) {
  return 0;
}
SHIM int cuLaunchKernel(void* function, unsigned x, unsigned, unsigned, unsigned, unsigned,
                        unsigned, unsigned, void*, void** parameters, void**) {
  lost = lost || kiln_shim_fault == 4;
  if (lost) return 0;  // launches are asynchronous: the next call that waits tells
  const auto* slots = static_cast<const int64_t*>(parameters[0]);
  const float* in = reinterpret_cast<const float*>(slots[0]);
  float* out = reinterpret_cast<float*>(slots[2]);
  for (int64_t i = 0; i < int64_t(x); ++i)
    out[i * slots[3]] = static_cast<Module*>(function)->factor * in[i * slots[1]];
  return 0;
}
SHIM int cuCtxSynchronize() {
  return state();
}
SHIM int cuEventCreate(void** event, unsigned) {
  *event = new Clock::time_point;
  return 0;
}
SHIM int cuEventRecord(void* event, void*) {
  *static_cast<Clock::time_point*>(event) = Clock::now();
  return state();
}
SHIM int cuEventSynchronize(void*) {
  return state();
}
#if KILN_SHIM_FAULT != 2
SHIM int cuEventElapsedTime(float* ms, void* from, void* to) {
  *ms = std::chrono::duration<float, std::milli>(*static_cast<Clock::time_point*>(to) -
                                                 *static_cast<Clock::time_point*>(from))
            .count();
  return 0;
}
#endif
SHIM int cuGetErrorString(int error, const char** text) {
  *text = error == kLaunchFailed ? "unspecified launch failure" : "an error";
  return 0;
}
