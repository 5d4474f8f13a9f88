// A stand-in for NVIDIA's driver in tests: "device" memory is the host's, a launch is done before
// it returns, and time is the host's. Modules are what the tests' compiler makes (nvrtc_shim.cpp):
// kernels of the tile language run on the emulator, which checks that they stay within what was
// allocated; kernels with a lowering of their own run as they are, and what they fault at is what a
// GPU calls an illegal address. A module of text instead is the scale kernel of
// tests/runtime/small_kernel.h (y[i] = factor x[i]) with that factor.
//
// KILN_SHIM_FAULT, when it is compiled, says what is wrong with it; a test that has it in its own
// process can change its mind through `kiln_shim_fault`:
//
//     0 nothing   1 too old   2 functions missing   3 no device   4 the device is lost at a launch
//     5 counting devices hangs   6 counting devices kills the process
//     7 nothing, and the first device is of compute capability 9.0 instead of 8.6
//     8 the same, without tensor maps
//
// While the file that the environment's KILN_SHIM_LOST names exists, the device is gone: whatever
// needs it fails. Processes append the number of contexts they made to that of KILN_SHIM_CONTEXTS.

#include <elf.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/emulator/emulation.h"
#include "runtime/host/shared_object.h"

namespace {

enum Error : int {
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kDeviceUnavailable = 46,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kNoBinary = 209,
  kNotFound = 500,
  kIllegalAddress = 700,
  kIllegalInstruction = 715,
  kLaunchFailed = 719
};

constexpr size_t kMemory = size_t{80} << 30;
constexpr int kBlockScratchpad = 99 << 10;
constexpr size_t kMostSlots = 512;  // of a launch: 4 KiB

using Clock = std::chrono::steady_clock;
using Slots = std::vector<uint64_t>;

struct Module {
  std::optional<float> factor;
  std::unique_ptr<kiln::runtime::SharedObject> object;
};
struct Function {
  Module* module;
  uint32_t entry;
  uint32_t slots;
};
using Graph = std::vector<std::function<int()>>;

int sticky = 0;  // what every call says from now on
std::map<uint64_t, size_t>& allocations() {
  static auto& all = *new std::map<uint64_t, size_t>;
  return all;
}
Graph* capturing = nullptr;

// What lasts as long as the process: nobody gives streams, events and functions back.
template <class T>
T* lasting(T value) {
  static auto& all = *new std::deque<T>;
  return &all.emplace_back(std::move(value));
}

int state() {
  if (const char* lost = getenv("KILN_SHIM_LOST"); lost && access(lost, F_OK) == 0) {
    return kDeviceUnavailable;
  }
  return sticky;
}

// Runs now, or becomes part of the graph that is being captured.
int enqueue(std::function<int()> work) {
  if (const int error = state()) return error;
  if (capturing != nullptr) {
    capturing->push_back(std::move(work));
    return 0;
  }
  return work();
}

sigjmp_buf before_launch;
void leave_launch(int signal) {
  siglongjmp(before_launch, signal);
}

// Calls `work`; the error of what it faulted at, else 0.
int guarded(const std::function<void()>& work) {
  struct sigaction action = {}, before[3];
  action.sa_handler = leave_launch;
  constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL};
  for (int i = 0; i < 3; ++i)
    sigaction(kSignals[i], &action, &before[i]);
  const int signal = sigsetjmp(before_launch, 1);
  if (signal == 0) work();
  for (int i = 0; i < 3; ++i)
    sigaction(kSignals[i], &before[i], nullptr);
  return signal == 0 ? 0 : signal == SIGILL ? kIllegalInstruction : kIllegalAddress;
}

struct Launch {
  Function function;
  int64_t grid[3];
  int64_t threads, scratchpad_bytes;
  Slots slots;
};

void scale(const Launch& launch) {
  const auto* slots = reinterpret_cast<const int64_t*>(launch.slots.data());
  const float* in = reinterpret_cast<const float*>(slots[0]);
  float* out = reinterpret_cast<float*>(slots[2]);
  for (int64_t i = 0; i < launch.grid[0]; ++i)
    out[i * slots[3]] = *launch.function.module->factor * in[i * slots[1]];
}

int run(const Launch& launch) {
  if (launch.function.module->factor) {
    scale(launch);
    return 0;
  }
  std::vector<kiln::runtime::emulator::GlobalTensor> memory;
  for (const auto& [address, bytes] : allocations()) {
    memory.push_back({.name = "device memory",
                      .first = reinterpret_cast<char*>(address),
                      .shape = {int64_t(bytes)},
                      .strides = {1},
                      .writable = true});
  }
  kiln::runtime::emulator::Emulation emulation(
      std::move(memory), {.threads = launch.threads, .scratchpad_bytes = launch.scratchpad_bytes},
      kiln::runtime::emulator::seed());
  const auto& object = *launch.function.module->object;
  alignas(64) std::array<KilnU64, kMostSlots> slots;
  std::ranges::copy(launch.slots, slots.begin());
  std::vector<char> scratch(object.entries()[launch.function.entry].scratch_bytes + 64);
  const KilnHostLaunch shared{
      slots.data(), {launch.grid[0], launch.grid[1], launch.grid[2]}, emulation.api()};
  void* aligned = scratch.data() + (64 - reinterpret_cast<uintptr_t>(scratch.data()) % 64) % 64;
  const int64_t blocks = launch.grid[0] * launch.grid[1] * launch.grid[2];
  const int fault =
      guarded([&] { object.blocks()(launch.function.entry, &shared, 0, blocks, aligned); });
  if (fault != 0) return fault;
  return emulation.status().ok() ? 0 : kIllegalAddress;
}

// Of the first device.
constexpr int kMajor = KILN_SHIM_FAULT >= 7 ? 9 : 8, kMinor = KILN_SHIM_FAULT >= 7 ? 0 : 6;

// The file that starts here, by its own tables.
std::string elf_file(const void* bytes) {
  const char* start = static_cast<const char*>(bytes);
  Elf64_Ehdr header;
  memcpy(&header, start, sizeof header);
  uint64_t end = header.e_shoff + uint64_t(header.e_shnum) * sizeof(Elf64_Shdr);
  for (int i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    memcpy(&section, start + header.e_shoff + i * sizeof section, sizeof section);
    if (section.sh_type != SHT_NOBITS) end = std::max(end, section.sh_offset + section.sh_size);
  }
  return {start, end};
}

}  // namespace

#define SHIM extern "C" __attribute__((visibility("default")))

SHIM int kiln_shim_fault;
int kiln_shim_fault = KILN_SHIM_FAULT;

SHIM int cuInit(unsigned) {
  return kiln_shim_fault == 3 ? int(kNoDevice) : 0;
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
  return ordinal < 2 ? 0 : int(kInvalidDevice);
}
SHIM int cuDeviceGetName(char* name, int length, int device) {
  strncpy(name, device == 0 ? "Shim A100/80GB" : "Shim GPU of another age", size_t(length));
  return 0;
}
SHIM int cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = kMemory;
  return 0;
}
SHIM int cuDeviceGetAttribute(int* value, int attribute, int device) {
  switch (attribute) {
    case 16:
      *value = 2;
      return 0;
    case 38:
      *value = 1 << 20;
      return 0;
    case 75:
      *value = device == 0 ? kMajor : 3;
      return 0;
    case 76:
      *value = device == 0 ? kMinor : 5;
      return 0;
    case 97:
      *value = kBlockScratchpad;
      return 0;
    default:
      return kInvalidValue;
  }
}
SHIM int cuDeviceGetPCIBusId(char* bus, int length, int) {
  strncpy(bus, "0000:3b:00.0", size_t(length));
  return 0;
}
SHIM int cuDevicePrimaryCtxRetain(void** context, int) {
  if (const char* contexts = getenv("KILN_SHIM_CONTEXTS")) {
    std::ofstream(contexts, std::ios::app) << getpid() << '\n';
  }
  *context = &sticky;
  return state();
}
SHIM int cuCtxSetCurrent(void*) {
  return state();
}

SHIM int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
  if (bytes > kMemory) return kOutOfMemory;
  constexpr size_t kAlignment = 256;  // as the driver promises
  void* memory = aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  if (memory == nullptr) return kOutOfMemory;
  *address = reinterpret_cast<uint64_t>(memory);
  allocations()[*address] = bytes;
  return state();
}
SHIM int cuMemFree_v2(uint64_t address) {
  if (allocations().erase(address) == 0) return kInvalidValue;
  free(reinterpret_cast<void*>(address));
  return 0;
}
SHIM int cuMemcpyHtoD_v2(uint64_t to, const void* from, size_t bytes) {
  if (const int error = state()) return error;
  memcpy(reinterpret_cast<void*>(to), from, bytes);
  return 0;
}
SHIM int cuMemcpyDtoH_v2(void* to, uint64_t from, size_t bytes) {
  if (const int error = state()) return error;
  memcpy(to, reinterpret_cast<const void*>(from), bytes);
  return 0;
}
SHIM int cuMemsetD8Async(uint64_t to, unsigned char byte, size_t bytes, void*) {
  return enqueue([=] {
    memset(reinterpret_cast<void*>(to), byte, bytes);
    return 0;
  });
}
SHIM int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void*) {
  return enqueue([=] {
    memcpy(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
    return 0;
  });
}

SHIM int cuModuleLoadData(void** module, const void* bytes) {
  if (const int error = state()) return error;
  auto made = std::make_unique<Module>();
  if (memcmp(bytes, ELFMAG, SELFMAG) == 0) {
    auto object = kiln::runtime::SharedObject::load(elf_file(bytes), "warp32");
    if (!object.ok()) return kNoBinary;
    made->object = *std::move(object);
  } else {
    made->factor = strtof(static_cast<const char*>(bytes), nullptr);
  }
  *module = made.release();
  return 0;
}
SHIM int cuModuleUnload(void* module) {
  delete static_cast<Module*>(module);
  return state();
}
SHIM int cuModuleGetFunction(void** function, void* opaque, const char* name) {
  auto* module = static_cast<Module*>(opaque);
  if (module->factor) {
    if (strcmp(name, "scale") != 0) return kNotFound;
    *function = lasting(Function{module, 0, 4});
    return 0;
  }
  const auto entries = module->object->entries();
  for (uint32_t i = 0; i < entries.size(); ++i) {
    if (strcmp(entries[i].name, name) != 0) continue;
    *function = lasting(Function{module, i, entries[i].slots});
    return 0;
  }
  return kNotFound;
}
SHIM int cuFuncSetAttribute(void*, int, int value) {
  return value <= kBlockScratchpad ? 0 : int(kInvalidValue);
}
#if KILN_SHIM_FAULT != 8
// A map as the emulator takes it, and refused for what the driver refuses.
SHIM int cuTensorMapEncodeTiled(void* map, int type, uint32_t rank, uint64_t address,
                                const uint64_t* sizes, const uint64_t* strides, const uint32_t* box,
                                const uint32_t* element_strides, int interleave, int swizzle, int,
                                int fill) {
  constexpr uint32_t kBytes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2};  // by CUtensorMapDataType
  if (reinterpret_cast<uintptr_t>(map) % 64 != 0 || type < 0 || type > 9 || rank < 1 || rank > 5 ||
      address % 16 != 0 || interleave != 0 || swizzle < 0 || swizzle > 3 || fill != 0) {
    return kInvalidValue;
  }
  KilnEmulatorTensorMap made{.mark = kKilnEmulatorMapMark,
                             .address = address,
                             .strides = {},
                             .sizes = {},
                             .box = {},
                             .rank = rank,
                             .element_bytes = kBytes[type],
                             .span = swizzle == 0 ? 0 : 16u << swizzle};
  for (uint32_t d = 0; d < rank; ++d) {
    if (sizes[d] < 1 || sizes[d] > UINT32_MAX || box[d] < 1 || box[d] > 256 ||
        element_strides[d] != 1) {
      return kInvalidValue;
    }
    made.sizes[d] = uint32_t(sizes[d]);
    made.box[d] = box[d];
    if (d == 0) continue;
    if (strides[d - 1] % 16 != 0 || strides[d - 1] >> 40 != 0) return kInvalidValue;
    made.strides[d - 1] = strides[d - 1];
  }
  const uint32_t row = box[0] * made.element_bytes;
  if (row % 16 != 0 || (made.span != 0 && row > made.span)) return kInvalidValue;
  memcpy(map, &made, sizeof made);
  return 0;
}
#endif

SHIM int cuLaunchKernel(void* function, unsigned x, unsigned y, unsigned z, unsigned threads_x,
                        unsigned threads_y, unsigned threads_z, unsigned scratchpad, void*,
                        void** parameters, void**) {
  if (kiln_shim_fault == 4) sticky = kLaunchFailed;
  // Launches are asynchronous: the next call that waits tells.
  if (sticky != 0) return 0;
  const auto& f = *static_cast<const Function*>(function);
  const auto* slots = static_cast<const uint64_t*>(parameters[0]);
  const Launch launch{f,
                      {x, y, z},
                      int64_t(threads_x) * threads_y * threads_z,
                      scratchpad,
                      {slots, slots + f.slots}};
  return enqueue([launch] {
    sticky = run(launch);
    return 0;
  });
}

SHIM int cuStreamCreate(void** stream, unsigned) {
  *stream = lasting(0);
  return state();
}
SHIM int cuStreamSynchronize(void*) {
  return state();
}
SHIM int cuCtxSynchronize() {
  return state();
}
SHIM int cuEventCreate(void** event, unsigned) {
  *event = lasting(Clock::time_point());
  return state();
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
  return state();
}
#endif

SHIM int cuStreamBeginCapture_v2(void*, int) {
  capturing = new Graph;
  return state();
}
SHIM int cuStreamEndCapture(void*, void** graph) {
  *graph = std::exchange(capturing, nullptr);
  return state();
}
SHIM int cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long) {
  *executable = new Graph(*static_cast<Graph*>(graph));
  return state();
}
SHIM int cuGraphDestroy(void* graph) {
  delete static_cast<Graph*>(graph);
  return 0;
}
SHIM int cuGraphExecDestroy(void* graph) {
  delete static_cast<Graph*>(graph);
  return 0;
}
SHIM int cuGraphLaunch(void* graph, void*) {
  for (const auto& work : *static_cast<Graph*>(graph)) {
    if (const int error = work()) return error;
  }
  return state();
}

SHIM int cuGetErrorString(int error, const char** text) {
  switch (error) {
    case kIllegalAddress:
      *text = "an illegal memory access was encountered";
      return 0;
    case kIllegalInstruction:
      *text = "an illegal instruction was encountered";
      return 0;
    case kLaunchFailed:
      *text = "unspecified launch failure";
      return 0;
    case kDeviceUnavailable:
      *text = "CUDA-capable device(s) is/are busy or unavailable";
      return 0;
    default:
      *text = "an error";
      return 0;
  }
}
