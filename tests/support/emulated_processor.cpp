#include "tests/support/emulated_processor.h"

#include <asm/prctl.h>
#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>

namespace kiln::testing {

namespace {

constexpr uint64_t kGiB = 1ull << 30, kPage = 4096;
constexpr size_t kStackBytes = 64 << 20;
constexpr uint32_t kCpu = 0;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "emulated processor: %s\n", why.c_str());
  std::abort();
}

std::string hex(uint64_t x) {
  std::ostringstream text;
  text << "0x" << std::hex << x;
  return text.str();
}

void* zeroed_pages(size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) give_up("no memory");
  return p;
}

// The first members of the library's table of hooks; the others stay null.
struct Hooks {
  void* context;
  void (*reset)(void*, uint32_t, uint32_t);
  void (*halt)(void*, uint32_t);
  void (*others[7])();
  void (*exception)(void*, uint32_t, uint32_t vector, uint32_t error);
  void (*more[64])();
};

class BochsLibrary {
 public:
  explicit BochsLibrary(const char* path) {
    // The library is a Python module, which leaves finding Python to whoever loads it.
    dlopen("libpython3.11.so.1.0", RTLD_NOW | RTLD_GLOBAL);
    handle_ = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (handle_ == nullptr) give_up(dlerror());
  }
  template <class... A>
  auto function(const char* name) const {
    return symbol<void (*)(A...)>(name);
  }
  template <class F>
  F symbol(const char* name) const {
    void* found = dlsym(handle_, name);
    if (found == nullptr) give_up(std::string("no function ") + name);
    return reinterpret_cast<F>(found);
  }

 private:
  void* handle_;
};

const BochsLibrary& library() {
  static const BochsLibrary loaded(std::getenv("KILN_BOCHSCPU"));
  return loaded;
}

// Where emulated code returns to.
alignas(kPage) unsigned char halt_code[kPage] = {0xf4, 0xf4};

// Guest physical memory is made of slots of 1 GiB, each standing for 1 GiB of this process: its
// addresses have more bits than physical ones may have. Page tables with pages of 1 GiB map every
// address to itself.
class Memory {
 public:
  Memory() : top_(static_cast<uint64_t*>(zeroed_pages(kPage))) {}

  uint64_t physical(const void* p) {
    const auto address = reinterpret_cast<uint64_t>(p);
    return slot_of(address / kGiB) * kGiB + address % kGiB;
  }
  uint64_t root() { return physical(top_); }

  // Everything that is mapped in this process now.
  void map_process() {
    std::ifstream maps("/proc/self/maps");
    std::string line;
    while (std::getline(maps, line)) {
      unsigned long first = 0, last = 0;
      if (std::sscanf(line.c_str(), "%lx-%lx", &first, &last) != 2 || last >> 47 != 0) continue;
      for (uint64_t gib = first / kGiB; gib <= (last - 1) / kGiB; ++gib)
        map(gib);
    }
  }

  uint8_t* host(uint64_t physical) const {
    const uint64_t slot = physical / kGiB;
    if (slot < kFirstSlot || slot >= next_slot_) return nullptr;
    const uint64_t address = gib_of_[slot] * kGiB + physical % kGiB;
    return std::bit_cast<uint8_t*>(address);
  }

 private:
  static constexpr uint64_t kFirstSlot = 16;  // above the devices of a PC
  static constexpr uint64_t kPresent = 1, kWritable = 2, kUser = 4, kTouched = 0x60, kLarge = 0x80;

  uint64_t slot_of(uint64_t gib) {
    const auto [found, fresh] = slots_.try_emplace(gib, next_slot_);
    if (fresh) {
      if (next_slot_ == gib_of_.size()) give_up("this process is too large");
      gib_of_[next_slot_++] = gib;
    }
    return found->second;
  }

  void map(uint64_t gib) {
    uint64_t*& table = tables_[gib / 512];
    if (table == nullptr) {
      table = static_cast<uint64_t*>(zeroed_pages(kPage));
      top_[gib / 512] = physical(table) | kPresent | kWritable | kUser;
    }
    table[gib % 512] = slot_of(gib) * kGiB | kPresent | kWritable | kUser | kTouched | kLarge;
  }

  uint64_t* top_;
  std::map<uint64_t, uint64_t*> tables_;
  std::map<uint64_t, uint64_t> slots_;
  std::array<uint64_t, 1024> gib_of_ = {};
  uint64_t next_slot_ = kFirstSlot;
};

Memory& memory() {
  static Memory instance;
  return instance;
}

uint64_t program_counter() {
  static const auto get = library().symbol<uint64_t (*)(uint32_t)>("cpu_get_pc");
  return get(kCpu);
}

void provide_page(uint64_t physical) {
  static const auto insert = library().function<uint64_t, uint8_t*>("bochscpu_mem_page_insert");
  const uint64_t page = physical / kPage * kPage;
  uint8_t* host = memory().host(page);
  if (host == nullptr) give_up("a wild access at " + hex(program_counter()));
  insert(page, host);
}

class Bochs final : public EmulatedProcessor {
 public:
  Bochs() {
    const BochsLibrary& lib = library();
    lib.function<void (*)(uint64_t)>("bochscpu_mem_missing_page")(provide_page);
    cpu_ = lib.symbol<void* (*)(uint32_t)>("bochscpu_cpu_new")(kCpu);
    lib.function<uint32_t, uint32_t>("cpu_set_cr0")(kCpu, 0x80010033);  // paging, protected
    lib.function<uint32_t, uint64_t>("cpu_set_cr4")(kCpu, 0x40620);     // PAE, SSE, XSAVE
    lib.function<uint32_t, uint32_t>("cpu_set_efer")(kCpu, 0xd01);      // 64-bit
    lib.function<uint32_t, uint32_t>("cpu_set_xcr0")(kCpu, 0xe7);       // up to AVX-512
    lib.function<uint32_t, uint32_t>("cpu_set_mxcsr")(kCpu, 0x1f80);
    lib.function<uint32_t, uint64_t>("cpu_set_cr3")(kCpu, memory().root());
    constexpr uint16_t kData = 0xc093, kCode = 0xa09b;
    for (uint32_t segment = 0; segment < 6; ++segment)
      set_segment(segment, segment == kCs ? kCode : kData, 0);
    hooks_.context = this;
    hooks_.halt = [](void* self, uint32_t) {
      library().function<void*>("bochscpu_cpu_stop")(static_cast<Bochs*>(self)->cpu_);
    };
    hooks_.exception = [](void*, uint32_t, uint32_t vector, uint32_t) {
      static const auto fault_address = library().symbol<uint64_t (*)(uint32_t)>("cpu_get_cr2");
      give_up("exception " + std::to_string(vector) + " at " + hex(program_counter()) +
              ", page fault address " + hex(fault_address(kCpu)));
    };
    stack_ = static_cast<char*>(zeroed_pages(kStackBytes));
  }

  void call(runtime::ParallelFor::Body function, void* context, int64_t first, int64_t last,
            int worker) override {
    std::lock_guard lock(mutex_);
    memory().map_process();
    auto* top = reinterpret_cast<uint64_t*>(stack_ + kStackBytes - kPage);
    *--top = reinterpret_cast<uint64_t>(halt_code);
    uint64_t thread_base = 0;
    syscall(SYS_arch_prctl, ARCH_GET_FS, &thread_base);
    set_segment(kFs, 0xc093, thread_base);
    constexpr uint32_t kRcx = 1, kRdx = 2, kRsi = 6, kRdi = 7;
    set_register_(kCpu, kRdi, reinterpret_cast<uint64_t>(context));
    set_register_(kCpu, kRsi, uint64_t(first));
    set_register_(kCpu, kRdx, uint64_t(last));
    set_register_(kCpu, kRcx, uint64_t(worker));
    set_stack_(kCpu, reinterpret_cast<uint64_t>(top));
    set_pc_(kCpu, reinterpret_cast<uint64_t>(function));
    set_mode_(kCpu);
    forget_code_();
    Hooks* list[] = {&hooks_, nullptr};
    run_(cpu_, list);
    const uint64_t end = program_counter() - reinterpret_cast<uint64_t>(halt_code);
    if (end > 1) give_up("stopped at " + hex(program_counter()));
  }

 private:
  static constexpr uint32_t kCs = 1, kFs = 4;

  void set_segment(uint32_t segment, uint16_t attributes, uint64_t base) const {
    constexpr uint16_t kSelector = 0x18;
    set_segment_(kCpu, segment, 1, kSelector, base, 0xffffffff, attributes);
  }

  void* cpu_;
  char* stack_;
  Hooks hooks_ = {};
  std::mutex mutex_;

  using SetSegment = void (*)(uint32_t, uint32_t, uint32_t, uint16_t, uint64_t, uint32_t, uint16_t);
  SetSegment set_segment_ = library().symbol<SetSegment>("cpu_set_seg");
  using SetRegister = void (*)(uint32_t, uint32_t, uint64_t);
  SetRegister set_register_ = library().symbol<SetRegister>("cpu_set_reg64");
  using SetPointer = void (*)(uint32_t, uint64_t);
  SetPointer set_pc_ = library().symbol<SetPointer>("cpu_set_pc");
  SetPointer set_stack_ = library().symbol<SetPointer>("cpu_set_sp");
  void (*set_mode_)(uint32_t) = library().symbol<void (*)(uint32_t)>("cpu_set_mode");
  // Artifacts come and go at the same addresses.
  void (*forget_code_)() = library().symbol<void (*)()>("_Z12flushICachesv");
  using Run = void (*)(void*, Hooks**);
  Run run_ = library().symbol<Run>("bochscpu_cpu_run");
};

}  // namespace

EmulatedProcessor* EmulatedProcessor::instance() {
  if (std::getenv("KILN_BOCHSCPU") == nullptr) return nullptr;
  static Bochs bochs;
  return &bochs;
}

void EmulatedPool::run(int64_t total, Body body, void* context) {
  for (int worker = 0; worker < workers_; ++worker) {
    const int64_t first = total * worker / workers_, last = total * (worker + 1) / workers_;
    if (first < last) processor_.call(body, context, first, last, worker);
  }
}

}  // namespace kiln::testing

// The library makes a processor without bf16 dot products, by a maker whose name it looks up in the
// whole process and finds here first.
struct BX_CPU_C;
__attribute__((visibility("default"))) void* create_corei3_cnl_cpuid(BX_CPU_C* cpu) {
  static const auto make = kiln::testing::library().symbol<void* (*)(BX_CPU_C*)>(
      "_Z28create_sapphire_rapids_cpuidP8BX_CPU_C");
  return make(cpu);
}
