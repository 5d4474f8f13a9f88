// AMD's intrinsics: CDNA 2 and 3 (gfx90a, gfx942; waves of 64), RDNA 3 and 4 (gfx1100, gfx1201;
// waves of 32). tile/simt/target.h says what each does. Source: LLVM's builtins for AMDGPU, AMD's
// instruction set guides. Includes nothing of HIP's.
//
// Addresses go through the address space that they mean, so that no flat access is made.

#pragma once

#include "tile/simt/target.h"

#define TILE_GLOBAL __attribute__((address_space(1)))
#define TILE_LDS __attribute__((address_space(3)))

extern "C" {
extern __shared__ __attribute__((aligned(1024))) unsigned char kiln_scratchpad[];
}

namespace tile {

template <class E, int N>
using HipVector = E __attribute__((ext_vector_type(N)));

struct Where {
  static TILE_FN constexpr Where here() { return {}; }
};

struct Target {
#if defined(__gfx90a__) || defined(__gfx942__)
  static constexpr int kLanes = 64;
  static constexpr bool kDirectCopy = true;
#else
  static constexpr int kLanes = 32;
  static constexpr bool kDirectCopy = false;
#endif
  static constexpr bool kAsyncCopy = false;

  TILE_FN int thread() const { return __builtin_amdgcn_workitem_id_x(); }
  TILE_FN int lane() const { return thread() & (kLanes - 1); }
  TILE_FN int warp() const { return __builtin_amdgcn_readfirstlane(thread() / kLanes); }
  TILE_FN i64 block(int axis) const {
    return axis == 0   ? __builtin_amdgcn_workgroup_id_x()
           : axis == 1 ? __builtin_amdgcn_workgroup_id_y()
                       : __builtin_amdgcn_workgroup_id_z();
  }
  TILE_FN i64 blocks(int axis, int threads) const {
    return (axis == 0   ? __builtin_amdgcn_grid_size_x()
            : axis == 1 ? __builtin_amdgcn_grid_size_y()
                        : __builtin_amdgcn_grid_size_z()) /
           (u32)threads;
  }

  template <class V>
  TILE_FN V shuffle_xor(V x, int mask) const {
    return __builtin_bit_cast(
        V, __builtin_amdgcn_ds_bpermute((lane() ^ mask) << 2, __builtin_bit_cast(int, x)));
  }
  TILE_FN u64 ballot(bool vote) const {
    constexpr int kNotEqual = 33;
    return __builtin_amdgcn_uicmp((u32)vote, 0u, kNotEqual);
  }
  TILE_FN void block_barrier() const {
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
    __builtin_amdgcn_s_barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
  }
  // Lanes of a wave run in step; the fence keeps the compiler from moving accesses across.
  TILE_FN void warp_barrier() const {
    __builtin_amdgcn_fence(__ATOMIC_ACQ_REL, "wavefront");
    __builtin_amdgcn_wave_barrier();
  }
  TILE_FN void retire(u32, u32) const {}

  TILE_FN u32 opaque(u32 x) const {
    asm("" : "+v"(x));
    return x;
  }

  template <class V>
  TILE_FN V ldg(const void* from) const {
    return __builtin_bit_cast(V, *(const TILE_GLOBAL AccessOf<V>*)from);
  }
  template <class V>
  TILE_FN void stg(void* to, V v) const {
    *(TILE_GLOBAL AccessOf<V>*)to = __builtin_bit_cast(AccessOf<V>, v);
  }
  template <class V>
  TILE_FN V lds(u32 from) const {
    return __builtin_bit_cast(V, *(const TILE_LDS AccessOf<V>*)shared(from));
  }
  template <class V>
  TILE_FN void sts(u32 to, V v) const {
    *(TILE_LDS AccessOf<V>*)shared(to) = __builtin_bit_cast(AccessOf<V>, v);
  }

  // Lane l writes 4 l bytes behind M0. An instruction must lie between M0's write and its use, and
  // the compiler counts no loads of assembly: its own waits become stricter, these are waited for
  // by copy_wait().
  TILE_FN void copy_direct(u32 to, const void* from, bool present) const {
#if defined(__gfx90a__) || defined(__gfx942__)
    if (present) {
      const u32 base = __builtin_amdgcn_readfirstlane((u32)shared(to) - 4 * lane());
#if defined(__gfx942__)
      asm volatile("s_mov_b32 m0, %0\n\ts_nop 0\n\tglobal_load_lds_dword %1, off" ::"s"(base),
                   "v"((const TILE_GLOBAL u32*)from)
                   : "memory");
#else
      asm volatile("s_mov_b32 m0, %0\n\ts_nop 0\n\tglobal_load_dword %1, off lds" ::"s"(base),
                   "v"((const TILE_GLOBAL u32*)from)
                   : "memory");
#endif
    }
#endif
  }
  TILE_FN void copy_commit() const {}
  template <int N>
  TILE_FN void copy_wait() const {
    static_assert(N == 0, "direct copies come without groups");
#if defined(__gfx90a__) || defined(__gfx942__)
    asm volatile("s_waitcnt vmcnt(0)" ::: "memory");
#endif
  }

  // NVIDIA's (kAsyncCopy): never called.
  TILE_FN void copy_async(u32, const void*, int) const {}
  TILE_FN void proxy_fence() const {}

  template <class T>
  TILE_FN u32 pack(float lo, float hi) const {
    if constexpr (kSame<T, bf16>) {
      return rounded(lo) >> 16 | (rounded(hi) & 0xffff0000u);
    } else {
      return __builtin_bit_cast(u32, HipVector<_Float16, 2>{(_Float16)lo, (_Float16)hi});
    }
  }
  template <class T>
  TILE_FN float widen(u16 bits) const {
    if constexpr (kSame<T, bf16>) {
      return __builtin_bit_cast(float, (u32)bits << 16);
    } else {
      return (float)__builtin_bit_cast(_Float16, bits);
    }
  }
  static TILE_FN float exp2(float x) {
#if __has_builtin(__builtin_amdgcn_exp2f)
    return __builtin_amdgcn_exp2f(x);
#else
    float r;
    asm("v_exp_f32 %0, %1" : "=v"(r) : "v"(x));
    return r;
#endif
  }
  static TILE_FN float log(float x) {
#if __has_builtin(__builtin_amdgcn_logf)
    const float r = __builtin_amdgcn_logf(x);
#else
    float r;
    asm("v_log_f32 %0, %1" : "=v"(r) : "v"(x));
#endif
    return r * 0.69314718055994531f;
  }
  static TILE_FN float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

  TILE_FN u32 atomic_add(u32 at, u32 x) const {
    return __hip_atomic_fetch_add(word(at), x, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_WORKGROUP);
  }
  TILE_FN u32 atomic_cas(u32 at, u32 expected, u32 x) const {
    __hip_atomic_compare_exchange_strong(word(at), &expected, x, __ATOMIC_RELAXED, __ATOMIC_RELAXED,
                                         __HIP_MEMORY_SCOPE_WORKGROUP);
    return expected;
  }
  TILE_FN u32 peek(u32 at) const { return *(volatile TILE_LDS u32*)shared(at); }
  TILE_FN i32 atomic_add(i32* at, i32 x) const {
    return __hip_atomic_fetch_add((TILE_GLOBAL i32*)at, x, __ATOMIC_RELAXED,
                                  __HIP_MEMORY_SCOPE_AGENT);
  }

  // NVIDIA's.
  TILE_FN void phase_init(u32, u32) const;
  TILE_FN void phase_arrive(u32) const;
  TILE_FN void phase_arrive(u32, u32, u32) const;
  TILE_FN void phase_arrive_copies(u32) const;
  TILE_FN void phase_wait(u32, u32) const;
  TILE_FN void phase_expect(u32, u32) const;
  TILE_FN void copy_box(u32, const TensorMap&, const BoxPlace<4>&, u32) const;
  TILE_FN void warps_barrier(int, int) const;
  TILE_FN void warps_arrive(int, int) const;
  template <int N>
  TILE_FN void take_registers() const;
  template <int N>
  TILE_FN void give_registers() const;
  TILE_FN void load_matrices(u32 (&)[4], u32) const;
  TILE_FN void load_matrices_transposed(u32 (&)[4], u32) const;
  template <class T>
  TILE_FN void mma_m16n8k16(float*, const u32*, const u32*) const;

  template <class T>
  TILE_FN void mfma_16x16x16(float* c, const u32* a, const u32* b) const {
#if defined(__gfx90a__) || defined(__gfx942__)
    auto sums = from<HipVector<float, 4>>(c);
    if constexpr (kSame<T, bf16>) {
      using Four = HipVector<short, 4>;
      sums = __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(from<Four>(a), from<Four>(b), sums, 0, 0, 0);
    } else {
      using Four = HipVector<_Float16, 4>;
      sums = __builtin_amdgcn_mfma_f32_16x16x16f16(from<Four>(a), from<Four>(b), sums, 0, 0, 0);
    }
    put(c, sums);
#endif
  }
  template <class T>
  TILE_FN void wmma_gfx11(float* c, const u32* a, const u32* b) const {
#if defined(__gfx1100__)
    auto sums = from<HipVector<float, 8>>(c);
    if constexpr (kSame<T, bf16>) {
      using Sixteen = HipVector<short, 16>;
      sums = __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32(from<Sixteen>(a), from<Sixteen>(b), sums);
    } else {
      using Sixteen = HipVector<_Float16, 16>;
      sums = __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(from<Sixteen>(a), from<Sixteen>(b), sums);
    }
    put(c, sums);
#endif
  }
  template <class T>
  TILE_FN void wmma_gfx12(float* c, const u32* a, const u32* b) const {
#if defined(__gfx1201__)
    auto sums = from<HipVector<float, 8>>(c);
    if constexpr (kSame<T, bf16>) {
      using Eight = HipVector<short, 8>;
      sums =
          __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32_gfx12(from<Eight>(a), from<Eight>(b), sums);
    } else {
      using Eight = HipVector<_Float16, 8>;
      sums = __builtin_amdgcn_wmma_f32_16x16x16_f16_w32_gfx12(from<Eight>(a), from<Eight>(b), sums);
    }
    put(c, sums);
#endif
  }

 private:
  // What a value of this size moves as: one access.
  template <int Bytes>
  struct Access {
    using Type = HipVector<u32, Bytes / 4>;
  };
  template <class V>
  using AccessOf = typename Access<sizeof(V)>::Type;

  static TILE_FN TILE_LDS unsigned char* shared(u32 at) {
    return (TILE_LDS unsigned char*)kiln_scratchpad + at;
  }
  static TILE_FN TILE_LDS u32* word(u32 at) { return (TILE_LDS u32*)shared(at); }

  // To nearest even in the upper half.
  static TILE_FN u32 rounded(float x) {
    const u32 bits = __builtin_bit_cast(u32, x);
    return bits + 0x7fffu + (bits >> 16 & 1);
  }

  template <class V, class E>
  static TILE_FN V from(const E* p) {
    V v;
    __builtin_memcpy(&v, p, sizeof(V));
    return v;
  }
  template <class V>
  static TILE_FN void put(float* to, V v) {
    TILE_UNROLL
    for (int i = 0; i < (int)(sizeof(V) / sizeof(float)); ++i)
      to[i] = v[i];
  }
};

template <>
struct Target::Access<2> {
  using Type = u16;
};
template <>
struct Target::Access<4> {
  using Type = u32;
};

struct WhereScope {
  TILE_FN WhereScope(const Target&, Where) {}
};

}  // namespace tile

#include "tile/simt/block.h"
