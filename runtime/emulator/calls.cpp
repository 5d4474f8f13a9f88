#include "runtime/emulator/calls.h"

#include <cmath>

#include "runtime/emulator/block.h"
#include "runtime/emulator/matrix.h"

namespace kiln::runtime::emulator {
namespace {

Thread& thread_of(KilnEmulatorThread* t) {
  return *static_cast<Thread*>(t);
}

// Makes a method of Block a function whose first argument is the thread.
template <auto Method>
struct Call;
template <class Result, class... Arguments, Result (Block::*Method)(Thread&, Arguments...)>
struct Call<Method> {
  template <class... Given>
  static Result made(KilnEmulatorThread* t, Given... given) {
    Thread& thread = thread_of(t);
    return (thread.owner->*Method)(thread, Arguments(given)...);
  }
};

}  // namespace

KilnEmulatorApi calls() {
  KilnEmulatorApi api{};
  api.version = kKilnEmulatorAbiVersion;
  api.load_global = Call<&Block::load_global>::made;
  api.store_global = Call<&Block::store_global>::made;
  api.load_shared = Call<&Block::load_shared>::made;
  api.store_shared = Call<&Block::store_shared>::made;
  api.copy_async = Call<&Block::copy_async>::made;
  api.copy_direct = Call<&Block::copy_direct>::made;
  api.copy_commit = [](KilnEmulatorThread* t) { ++thread_of(t).group; };
  api.copy_wait = Call<&Block::copy_wait>::made;
  api.retire = [](KilnEmulatorThread* t, KilnU32 from, KilnU32 bytes) {
    thread_of(t).owner->retire(from, bytes);
  };
  api.barrier = Call<&Block::barrier>::made;
  api.shuffle_xor = Call<&Block::shuffle_xor>::made;
  api.ballot = Call<&Block::ballot>::made;
  api.load_matrices = Call<&Block::load_matrices>::made;
  api.multiply = Call<&Block::multiply>::made;
  api.product = Call<&Block::product>::made;
  api.product_fence = [](KilnEmulatorThread* t) { thread_of(t).registers_fenced = true; };
  api.product_commit = [](KilnEmulatorThread* t) { ++thread_of(t).product_group; };
  api.product_wait = Call<&Block::product_wait>::made;
  api.proxy_fence = Call<&Block::proxy_fence>::made;
  api.phase_init = Call<&Block::phase_init>::made;
  api.phase_arrive = Call<&Block::phase_arrive>::made;
  api.phase_arrive_copies = Call<&Block::phase_arrive_copies>::made;
  api.phase_expect = Call<&Block::phase_expect>::made;
  api.copy_box = Call<&Block::copy_box>::made;
  api.phase_wait = Call<&Block::phase_wait>::made;
  api.warps_barrier = Call<&Block::warps_barrier>::made;
  api.atomic_shared = Call<&Block::atomic_shared>::made;
  api.atomic_add_global = Call<&Block::atomic_add_global>::made;
  api.pack = [](int type, float low, float high) {
    const auto t = KilnEmulatorType(type);
    return KilnU32(narrow(t, low) | uint32_t(narrow(t, high)) << 16);
  };
  api.widen = [](int type, unsigned short bits) { return widen(KilnEmulatorType(type), bits); };
  api.exp2 = [](float x) { return std::exp2(x); };
  api.log = [](float x) { return std::log(x); };
  return api;
}

}  // namespace kiln::runtime::emulator
