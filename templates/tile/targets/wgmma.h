// wgmma.mma_async for every number of columns that products use. Source: PTX ISA, "Asynchronous
// warpgroup level matrix instructions".
//
// Inline assembly names each register: the sums come first, %0 .. %(N / 2 - 1), then A, B and
// whether to accumulate.

#pragma once

#include "tile/core.h"

namespace tile::wgmma {

// c (+)= a b; a, b: descriptors, k along the rows of each, or down.
template <class T, int N>
struct FromScratchpad;
// c += a b; a: four registers, b: a descriptor, k down its rows.
template <class T, int N>
struct FromRegisters;

#define KILN_REGISTERS_8 "%0, %1, %2, %3, %4, %5, %6, %7"
#define KILN_REGISTERS_16 \
  KILN_REGISTERS_8        \
  ", %8, %9, %10, %11, %12, %13, %14, %15"
#define KILN_REGISTERS_32 \
  KILN_REGISTERS_16       \
  ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define KILN_REGISTERS_64                                                                 \
  KILN_REGISTERS_32                                                                       \
  ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48" \
  ", %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define KILN_REGISTERS_128                                                                \
  KILN_REGISTERS_64                                                                       \
  ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, %80" \
  ", %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, %96, %97" \
  ", %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111"    \
  ", %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125"  \
  ", %126, %127"
#define KILN_SUMS_8(I)                                                                        \
  "+f"(c[I]), "+f"(c[I + 1]), "+f"(c[I + 2]), "+f"(c[I + 3]), "+f"(c[I + 4]), "+f"(c[I + 5]), \
      "+f"(c[I + 6]), "+f"(c[I + 7])
#define KILN_SUMS_16(I) KILN_SUMS_8(I), KILN_SUMS_8(I + 8)
#define KILN_SUMS_32(I) KILN_SUMS_16(I), KILN_SUMS_16(I + 16)
#define KILN_SUMS_64(I) KILN_SUMS_32(I), KILN_SUMS_32(I + 32)
#define KILN_SUMS_128(I) KILN_SUMS_64(I), KILN_SUMS_64(I + 64)

#define KILN_PRODUCT(TYPE, TEXT, N, SUMS, P0, P1, P2, P3, P4, P5)                             \
  template <>                                                                                 \
  struct FromScratchpad<TYPE, N> {                                                            \
    template <bool kLeftDown, bool kRightDown>                                                \
    static TILE_FN void run(float* c, u64 a, u64 b, bool accumulate) {                        \
      asm volatile(                                                                           \
          "{ .reg .pred p; setp.ne.b32 p, %" #P2                                              \
          ", 0;\n"                                                                            \
          "wgmma.mma_async.sync.aligned.m64n" #N "k16.f32." TEXT                              \
          " "                                                                                 \
          "{" KILN_REGISTERS_##SUMS "}, %" #P0 ", %" #P1 ", p, 1, 1, %" #P3 ", %" #P4 "; }"   \
          : KILN_SUMS_##SUMS(0)                                                               \
          : "l"(a), "l"(b), "r"((int)accumulate), "n"((int)kLeftDown), "n"((int)kRightDown)); \
    }                                                                                         \
  };                                                                                          \
  template <>                                                                                 \
  struct FromRegisters<TYPE, N> {                                                             \
    static TILE_FN void run(float* c, const u32* a, u64 b) {                                  \
      asm volatile("{ .reg .pred p; setp.ne.b32 p, %" #P5                                     \
                   ", 0;\n"                                                                   \
                   "wgmma.mma_async.sync.aligned.m64n" #N "k16.f32." TEXT                     \
                   " "                                                                        \
                   "{" KILN_REGISTERS_##SUMS "}, {%" #P0 ", %" #P1 ", %" #P2 ", %" #P3        \
                                             "}, "                                            \
                                             "%" #P4 ", p, 1, 1, 1; }"                        \
                   : KILN_SUMS_##SUMS(0)                                                      \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(1));             \
    }                                                                                         \
  };
#define KILN_PRODUCTS(N, SUMS, ...)                  \
  KILN_PRODUCT(f16, "f16.f16", N, SUMS, __VA_ARGS__) \
  KILN_PRODUCT(bf16, "bf16.bf16", N, SUMS, __VA_ARGS__)

KILN_PRODUCTS(16, 8, 8, 9, 10, 11, 12, 13)
KILN_PRODUCTS(32, 16, 16, 17, 18, 19, 20, 21)
KILN_PRODUCTS(64, 32, 32, 33, 34, 35, 36, 37)
KILN_PRODUCTS(128, 64, 64, 65, 66, 67, 68, 69)
KILN_PRODUCTS(256, 128, 128, 129, 130, 131, 132, 133)

#undef KILN_PRODUCTS
#undef KILN_PRODUCT
#undef KILN_SUMS_128
#undef KILN_SUMS_64
#undef KILN_SUMS_32
#undef KILN_SUMS_16
#undef KILN_SUMS_8
#undef KILN_REGISTERS_128
#undef KILN_REGISTERS_64
#undef KILN_REGISTERS_32
#undef KILN_REGISTERS_16
#undef KILN_REGISTERS_8

}  // namespace tile::wgmma
