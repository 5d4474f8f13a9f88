// The emulator's intrinsics: each is a call of the run time, which checks it and knows all threads
// (runtime/emulator/abi.h). TILE_EMULATOR_LANES is the warp size.

#pragma once

#include "runtime/emulator/abi.h"
#include "tile/simt/target.h"

namespace tile {

// Functions that no thread's state has part in reach the run time through here.
inline const KilnEmulatorApi* emulator = nullptr;

using Where = struct WherePlace : KilnPlace {
  static constexpr WherePlace here(const char* file = __builtin_FILE(),
                                   int line = __builtin_LINE()) {
    return {{file, line}};
  }
};

struct Target {
  static constexpr int kLanes = TILE_EMULATOR_LANES;
  // As on the hardware of that warp size.
  static constexpr bool kAsyncCopy = kLanes == 32;
  static constexpr bool kDirectCopy = kLanes == 64;

  KilnEmulatorThread* self;

  int thread() const { return self->thread; }
  int lane() const { return self->lane; }
  int warp() const { return self->warp; }
  i64 block(int axis) const { return self->block[axis]; }
  i64 blocks(int axis, int) const { return self->grid[axis]; }

  template <class V>
  V shuffle_xor(V x, int mask, Where at = Where::here()) const {
    return __builtin_bit_cast(V,
                              self->api->shuffle_xor(self, __builtin_bit_cast(u32, x), mask, at));
  }
  u64 ballot(bool vote, Where at = Where::here()) const {
    return self->api->ballot(self, vote, at);
  }
  void block_barrier(Where at = Where::here()) const {
    self->api->barrier(self, kKilnEmulatorBlock, at);
  }
  void warp_barrier(Where at = Where::here()) const {
    self->api->barrier(self, kKilnEmulatorWarp, at);
  }
  void retire(u32 at, u32 bytes) const { self->api->retire(self, at, bytes); }
  u32 opaque(u32 x) const { return x; }

  template <class V>
  V ldg(const void* from, Where at = Where::here()) const {
    V v;
    self->api->load_global(self, &v, from, sizeof(V), at);
    return v;
  }
  template <class V>
  void stg(void* to, V v, Where at = Where::here()) const {
    self->api->store_global(self, to, &v, sizeof(V), at);
  }
  template <class V>
  V lds(u32 from, Where at = Where::here()) const {
    V v;
    self->api->load_shared(self, &v, from, sizeof(V), at);
    return v;
  }
  template <class V>
  void sts(u32 to, V v, Where at = Where::here()) const {
    self->api->store_shared(self, to, &v, sizeof(V), at);
  }

  void copy_async(u32 to, const void* from, int bytes, Where at = Where::here()) const {
    self->api->copy_async(self, to, from, 16, (u32)bytes, at);
  }
  void copy_direct(u32 to, const void* from, bool present, Where at = Where::here()) const {
    self->api->copy_direct(self, to, from, present, at);
  }
  void copy_commit() const { self->api->copy_commit(self); }
  template <int N>
  void copy_wait() const {
    self->api->copy_wait(self, N);
  }

  template <class T>
  u32 pack(float lo, float hi) const {
    return self->api->pack(kType<T>, lo, hi);
  }
  template <class T>
  float widen(u16 bits) const {
    return self->api->widen(kType<T>, bits);
  }
  static float exp2(float x) { return emulator->exp2(x); }
  static float log(float x) { return emulator->log(x); }
  static float fma(float a, float b, float c) { return (float)((double)a * b + c); }

  u32 atomic_add(u32 at, u32 x, Where place = Where::here()) const {
    return self->api->atomic_shared(self, kKilnEmulatorAdd, at, x, 0, place);
  }
  u32 atomic_cas(u32 at, u32 expected, u32 x, Where place = Where::here()) const {
    return self->api->atomic_shared(self, kKilnEmulatorCompareAndSwap, at, x, expected, place);
  }
  u32 peek(u32 at, Where place = Where::here()) const {
    return self->api->atomic_shared(self, kKilnEmulatorPeek, at, 0, 0, place);
  }
  i32 atomic_add(i32* at, i32 x, Where place = Where::here()) const {
    return self->api->atomic_add_global(self, at, x, place);
  }

  void load_matrices(u32 (&r)[4], u32 from, Where at = Where::here()) const {
    self->api->load_matrices(self, r, from, 0, at);
  }
  void load_matrices_transposed(u32 (&r)[4], u32 from, Where at = Where::here()) const {
    self->api->load_matrices(self, r, from, 1, at);
  }
  template <class T>
  void mma_m16n8k16(float* c, const u32* a, const u32* b, Where at = Where::here()) const {
    self->api->multiply(self, kKilnEmulatorMmaM16N8K16, kType<T>, c, a, b, at);
  }
  template <class T>
  void mfma_16x16x16(float* c, const u32* a, const u32* b, Where at = Where::here()) const {
    self->api->multiply(self, kKilnEmulatorMfma16x16x16, kType<T>, c, a, b, at);
  }
  template <class T>
  void wmma_gfx11(float* c, const u32* a, const u32* b, Where at = Where::here()) const {
    self->api->multiply(self, kKilnEmulatorWmmaGfx11, kType<T>, c, a, b, at);
  }
  template <class T>
  void wmma_gfx12(float* c, const u32* a, const u32* b, Where at = Where::here()) const {
    self->api->multiply(self, kKilnEmulatorWmmaGfx12, kType<T>, c, a, b, at);
  }

  u32 address(u32 at) const { return at; }
  void proxy_fence() const { self->api->proxy_fence(self); }
  void product_fence() const { self->api->product_fence(self); }
  template <class T, int N, bool kLeftDown, bool kRightDown>
  void product(float* sums, u64 left, u64 right, bool accumulate, Where at = Where::here()) const {
    const KilnEmulatorProduct product = {kType<T>, N,         sums,       nullptr,   left,
                                         right,    kLeftDown, kRightDown, accumulate};
    self->api->product(self, &product, at);
  }
  template <class T, int N>
  void product_down(float* sums, const u32* left, u64 right, Where at = Where::here()) const {
    const KilnEmulatorProduct product = {kType<T>, N, sums, left, 0, right, 0, 1, 1};
    self->api->product(self, &product, at);
  }
  void product_commit() const { self->api->product_commit(self); }
  template <int N>
  void product_wait(Where at = Where::here()) const {
    self->api->product_wait(self, N, at);
  }
  void settle(float&) const {}

  void phase_init(u32 at, u32 arrivals, Where place = Where::here()) const {
    self->api->phase_init(self, at, arrivals, place);
  }
  void phase_arrive(u32 at, Where place = Where::here()) const {
    self->api->phase_arrive(self, at, 0, 0, place);
  }
  void phase_arrive(u32 at, u32 dead, u32 bytes, Where place = Where::here()) const {
    self->api->phase_arrive(self, at, dead, bytes, place);
  }
  void phase_arrive_copies(u32 at, Where place = Where::here()) const {
    self->api->phase_arrive_copies(self, at, place);
  }
  void phase_wait(u32 at, u32 parity, Where place = Where::here()) const {
    self->api->phase_wait(self, at, (int)parity, place);
  }
  void phase_expect(u32 at, u32 bytes, Where place = Where::here()) const {
    self->api->phase_expect(self, at, bytes, place);
  }
  void copy_box(u32 to, const TensorMap& map, const BoxPlace<4>& place, u32 barrier,
                Where at = Where::here()) const {
    self->api->copy_box(self, to, &map, place.at, 4, barrier, at);
  }
  void warps_barrier(int number, int threads, Where at = Where::here()) const {
    self->api->warps_barrier(self, number, threads, 1, at);
  }
  void warps_arrive(int number, int threads, Where at = Where::here()) const {
    self->api->warps_barrier(self, number, threads, 0, at);
  }
  template <int N>
  void take_registers() const {}
  template <int N>
  void give_registers() const {}

 private:
  template <class T>
  static constexpr int kType = kSame<T, bf16> ? kKilnEmulatorBf16 : kKilnEmulatorF16;
};

// Names the kernel's line while an operation of the block is at work.
class WhereScope {
 public:
  WhereScope(const Target& t, Where where) : kernel_(t.self->kernel), outer_(kernel_) {
    kernel_ = where;
  }
  ~WhereScope() { kernel_ = outer_; }

 private:
  KilnPlace& kernel_;
  KilnPlace outer_;
};

}  // namespace tile

#include "tile/simt/block.h"
