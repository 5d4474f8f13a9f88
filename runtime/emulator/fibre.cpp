#include "runtime/emulator/fibre.h"

#include <sys/mman.h>

#include <new>

#include "core/sanitizers.h"

#if KILN_ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>
#endif

namespace kiln::runtime::emulator {
namespace {

// Tiles of a thread lie on its stack, some KiB, and reports are written there. Workers that run
// variants have little address space, and blocks up to 1024 threads.
constexpr size_t kStack = 64 << 10, kGuard = 4 << 10;

}  // namespace

Fibre::Fibre() {
  void* memory = mmap(nullptr, kGuard + kStack, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<char*>(memory);
  mprotect(memory_, kGuard, PROT_NONE);
}

Fibre::~Fibre() {
  munmap(memory_, kGuard + kStack);
}

void Fibre::start(Body body, void* argument) {
  body_ = body;
  argument_ = argument;
  done_ = false;
  inside_ = boost::context::detail::make_fcontext(memory_ + kGuard + kStack, kStack, enter);
}

void Fibre::resume() {
#if KILN_ADDRESS_SANITIZER
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, memory_ + kGuard, kStack);
#endif
  inside_ = boost::context::detail::jump_fcontext(inside_, this).fctx;
#if KILN_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
}

void Fibre::suspend() {
#if KILN_ADDRESS_SANITIZER
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(done_ ? nullptr : &fake, outside_stack_, outside_size_);
#endif
  outside_ = boost::context::detail::jump_fcontext(outside_, nullptr).fctx;
#if KILN_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(fake, &outside_stack_, &outside_size_);
#endif
}

void Fibre::enter(boost::context::detail::transfer_t from) {
  Fibre& self = *static_cast<Fibre*>(from.data);
  self.outside_ = from.fctx;
#if KILN_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(nullptr, &self.outside_stack_, &self.outside_size_);
#endif
  self.body_(self.argument_);
  self.done_ = true;
  self.suspend();
}

}  // namespace kiln::runtime::emulator
