// The vocabulary that kernels and every lowering of the tile language share.
//
// Compiled by the kernels' run-time compilers (clang, NVRTC, hipRTC), so it includes nothing and
// uses nothing of a standard library. Element types other than f32 are storage only: they are
// converted to f32, or handed to a matrix instruction, and never computed with.

#pragma once

#if defined(__CUDACC__) || defined(__HIP__) || defined(__HIPCC__)
#define TILE_FN __device__ __forceinline__
#define TILE_UNROLL _Pragma("unroll")
#define TILE_ROLL _Pragma("unroll 1")
#elif defined(TILE_EMULATOR)
// Compiled for each variant and run a few times: code stays small.
#define TILE_FN inline
#define TILE_UNROLL
#define TILE_ROLL
#else
#define TILE_FN inline __attribute__((always_inline))
// For steps of some thousand cycles: a function of its own is compiled faster than inlined.
#define TILE_OUTLINE __attribute__((noinline))
#define TILE_UNROLL _Pragma("clang loop unroll(full)")
#define TILE_ROLL _Pragma("clang loop unroll(disable)")
#endif

namespace tile {

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef long long i64;

typedef float f32;
struct f16 {
  u16 bits;
};
struct bf16 {
  u16 bits;
};

// A tensor argument as it lies in the launch's slots: the address of its first element, then one
// stride in elements for each axis. `data` is null where an optional tensor is absent.
template <int R>
struct Tensor {
  static constexpr int kRank = R;
  const void* data;
  i64 stride[R];
};

// The same tensor as bulk copies of boxes see it (runtime/host/abi.h), in the target's own terms.
// Dimension 0 is the tensor's last axis, dimension 1 the one that rows follow, then come the others
// from the last to the first.
struct alignas(64) TensorMap {
  u64 words[16];
  u64 usable;  // 0 where no such copy can bring a tensor that lies so
};

// A tensor and its map.
template <int R>
struct MappedTensor {
  const Tensor<R>& tensor;
  const TensorMap& map;
};

template <class A, class B>
inline constexpr bool kSame = false;
template <class A>
inline constexpr bool kSame<A, A> = true;

// What a kernel is made of (`using Work = ...`), so that a lowering can choose the block that runs
// it: tiles and products of tiles, or independent items of a few lanes each.
struct Tiles {};
struct Items {};

// A number as a type, to hand to a generic lambda.
template <int N>
struct Constant {
  static constexpr int value = N;
};

TILE_FN constexpr int imin(int a, int b) {
  return a < b ? a : b;
}
TILE_FN constexpr int imax(int a, int b) {
  return a > b ? a : b;
}
TILE_FN constexpr i64 lmin(i64 a, i64 b) {
  return a < b ? a : b;
}
TILE_FN constexpr i64 lmax(i64 a, i64 b) {
  return a > b ? a : b;
}
TILE_FN constexpr i64 ceil_div(i64 a, i64 b) {
  return (a + b - 1) / b;
}

inline constexpr float kInf = __builtin_bit_cast(float, 0x7f800000u);

}  // namespace tile
