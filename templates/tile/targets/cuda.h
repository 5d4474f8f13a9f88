// NVIDIA's intrinsics, sm_80 and up (tile/simt/target.h says what each does). Source: PTX ISA.
//
// Addresses go through the address space that they mean, so that no generic access is made.

#pragma once

#include "tile/simt/target.h"
#include "tile/targets/wgmma.h"

extern __shared__ __align__(1024) unsigned char kiln_scratchpad[];

namespace tile {

struct Where {
  static TILE_FN constexpr Where here() { return {}; }
};

struct Target {
  static constexpr int kLanes = 32;
  static constexpr bool kAsyncCopy = true;
  static constexpr bool kDirectCopy = false;

  TILE_FN int thread() const { return threadIdx.x; }
  TILE_FN int lane() const { return threadIdx.x & 31; }
  TILE_FN int warp() const { return threadIdx.x >> 5; }
  TILE_FN i64 block(int axis) const {
    return axis == 0 ? blockIdx.x : axis == 1 ? blockIdx.y : blockIdx.z;
  }
  TILE_FN i64 blocks(int axis, int) const {
    return axis == 0 ? gridDim.x : axis == 1 ? gridDim.y : gridDim.z;
  }

  template <class V>
  TILE_FN V shuffle_xor(V x, int mask) const {
    return __shfl_xor_sync(kAll, x, mask);
  }
  TILE_FN u64 ballot(bool vote) const { return __ballot_sync(kAll, vote); }
  TILE_FN void block_barrier() const { __syncthreads(); }
  TILE_FN void warp_barrier() const { __syncwarp(); }
  TILE_FN void retire(u32, u32) const {}
  TILE_FN u32 opaque(u32 x) const { return x; }

  template <class V>
  TILE_FN V ldg(const void* from) const {
    return load<V>(__cvta_global_to_generic(__cvta_generic_to_global(from)));
  }
  template <class V>
  TILE_FN void stg(void* to, V v) const {
    store(__cvta_global_to_generic(__cvta_generic_to_global(to)), v);
  }
  template <class V>
  TILE_FN V lds(u32 from) const {
    return load<V>(kiln_scratchpad + from);
  }
  template <class V>
  TILE_FN void sts(u32 to, V v) const {
    store(kiln_scratchpad + to, v);
  }

  TILE_FN void copy_async(u32 to, const void* from, int bytes) const {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared(to)),
                 "l"(__cvta_generic_to_global(from)), "r"(bytes)
                 : "memory");
  }
  // AMD's (kDirectCopy): never called.
  TILE_FN void copy_direct(u32, const void*, bool) const {}
  TILE_FN void copy_commit() const { asm volatile("cp.async.commit_group;" ::: "memory"); }
  template <int N>
  TILE_FN void copy_wait() const {
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
  }

  template <class T>
  TILE_FN u32 pack(float lo, float hi) const {
    u32 r;
    if constexpr (kSame<T, bf16>) {
      asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(hi), "f"(lo));
    } else {
      asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(hi), "f"(lo));
    }
    return r;
  }
  template <class T>
  TILE_FN float widen(u16 bits) const {
    if constexpr (kSame<T, bf16>) {
      return __uint_as_float((u32)bits << 16);
    } else {
      float r;
      asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"(bits));
      return r;
    }
  }
  static TILE_FN float exp2(float x) {
    float r;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
    return r;
  }
  static TILE_FN float log(float x) {
    float r;
    asm("lg2.approx.f32 %0, %1;" : "=f"(r) : "f"(x));
    return r * 0.69314718055994531f;
  }
  static TILE_FN float fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }

  TILE_FN u32 atomic_add(u32 at, u32 x) const { return atomicAdd(word(at), x); }
  TILE_FN u32 atomic_cas(u32 at, u32 expected, u32 x) const {
    return atomicCAS(word(at), expected, x);
  }
  TILE_FN u32 peek(u32 at) const { return *(volatile u32*)word(at); }
  TILE_FN i32 atomic_add(i32* at, i32 x) const {
    return ::atomicAdd((i32*)__cvta_global_to_generic(__cvta_generic_to_global(at)), x);
  }

  TILE_FN void load_matrices(u32 (&r)[4], u32 from) const {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared(from))
                 : "memory");
  }
  TILE_FN void load_matrices_transposed(u32 (&r)[4], u32 from) const {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared(from))
                 : "memory");
  }
  template <class T>
  TILE_FN void mma_m16n8k16(float* c, const u32* a, const u32* b) const {
    if constexpr (kSame<T, bf16>) {
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
          "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
          : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    } else {
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
          "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
          : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    }
  }

  TILE_FN u32 address(u32 at) const { return shared(at); }
  TILE_FN void proxy_fence() const { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
  TILE_FN void product_fence() const { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
  template <class T, int N, bool kLeftDown, bool kRightDown>
  TILE_FN void product(float* sums, u64 left, u64 right, bool accumulate) const {
    wgmma::FromScratchpad<T, N>::template run<kLeftDown, kRightDown>(sums, left, right, accumulate);
  }
  template <class T, int N>
  TILE_FN void product_down(float* sums, const u32* left, u64 right) const {
    wgmma::FromRegisters<T, N>::run(sums, left, right);
  }
  TILE_FN void product_commit() const {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  }
  template <int N>
  TILE_FN void product_wait() const {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
  }
  TILE_FN void settle(float& x) const { asm volatile("" : "+f"(x)); }

  TILE_FN void phase_init(u32 at, u32 arrivals) const {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared(at)), "r"(arrivals)
                 : "memory");
  }
  TILE_FN void phase_arrive(u32 at) const {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared(at)) : "memory");
  }
  TILE_FN void phase_arrive(u32 at, u32, u32) const { phase_arrive(at); }
  TILE_FN void phase_arrive_copies(u32 at) const {
    asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(shared(at))
                 : "memory");
  }
  TILE_FN void phase_expect(u32 at, u32 bytes) const {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared(at)),
                 "r"(bytes)
                 : "memory");
  }
  TILE_FN void copy_box(u32 to, const TensorMap& map, const BoxPlace<4>& place, u32 barrier) const {
    asm volatile(
        "cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes "
        "[%0], [%1, {%2, %3, %4, %5}], [%6];" ::"r"(shared(to)),
        "l"(&map), "r"(place.at[0]), "r"(place.at[1]), "r"(place.at[2]), "r"(place.at[3]),
        "r"(shared(barrier))
        : "memory");
  }
  TILE_FN void phase_wait(u32 at, u32 parity) const {
    asm volatile(
        "{ .reg .pred over;\n"
        "again: mbarrier.try_wait.parity.shared::cta.b64 over, [%0], %1;\n"
        "@over bra done;\n"
        "bra again;\n"
        "done: }" ::"r"(shared(at)),
        "r"(parity)
        : "memory");
  }
  TILE_FN void warps_barrier(int number, int threads) const {
    asm volatile("bar.sync %0, %1;" ::"r"(number), "r"(threads) : "memory");
  }
  TILE_FN void warps_arrive(int number, int threads) const {
    asm volatile("bar.arrive %0, %1;" ::"r"(number), "r"(threads) : "memory");
  }
  template <int N>
  TILE_FN void take_registers() const {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(N));
  }
  template <int N>
  TILE_FN void give_registers() const {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(N));
  }

  // Other vendors' instructions.
  template <class T>
  TILE_FN void mfma_16x16x16(float*, const u32*, const u32*) const;
  template <class T>
  TILE_FN void wmma_gfx11(float*, const u32*, const u32*) const;
  template <class T>
  TILE_FN void wmma_gfx12(float*, const u32*, const u32*) const;

 private:
  static constexpr u32 kAll = 0xffffffffu;

  static TILE_FN u32 shared(u32 at) { return (u32)__cvta_generic_to_shared(kiln_scratchpad) + at; }
  static TILE_FN u32* word(u32 at) { return (u32*)(kiln_scratchpad + at); }

  // As one access of the built-in vector of that size.
  template <class V>
  static TILE_FN V load(const void* from) {
    if constexpr (sizeof(V) == 16) {
      return __builtin_bit_cast(V, *(const uint4*)from);
    } else if constexpr (sizeof(V) == 8) {
      return __builtin_bit_cast(V, *(const uint2*)from);
    } else {
      return *(const V*)from;
    }
  }
  template <class V>
  static TILE_FN void store(void* to, V v) {
    if constexpr (sizeof(V) == 16) {
      *(uint4*)to = __builtin_bit_cast(uint4, v);
    } else if constexpr (sizeof(V) == 8) {
      *(uint2*)to = __builtin_bit_cast(uint2, v);
    } else {
      *(V*)to = v;
    }
  }
};

struct WhereScope {
  TILE_FN WhereScope(const Target&, Where) {}
};

}  // namespace tile

#include "tile/simt/block.h"
