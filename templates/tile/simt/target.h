// What a target supplies to the simt lowering. A target is a page of one-line intrinsics; all
// layout, staging and synchronisation is shared.
//
// targets/<name>.h includes this page, defines `Target`, `Where` and `WhereScope` in namespace
// tile, and ends by including tile/simt/block.h. The entry header that translation units begin with
// (tile/emulator.h, tile/cuda.h, tile/hip.h) includes it. One translation unit has one target.
//
// A Target is a value held by the block and passed by const reference: an empty struct where the
// hardware has the state, one pointer in the emulator. All methods are const and TILE_FN.
//
// Values V that move between memory and registers: u16, u32, Words<2>, Words<4>; an address is a
// multiple of sizeof(V). Scratchpad is addressed by byte offset from the block's first byte, never
// by pointer.
//
//     static constexpr int kLanes          threads of a warp: 32 or 64
//     static constexpr bool kAsyncCopy     copy_async() passes registers by
//     static constexpr bool kDirectCopy    copy_direct() does
//
//     int thread(), lane()                 in the block, in the warp
//     int warp()                           of the block; known to be the same for all lanes
//     i64 block(int axis)                  of the grid, axis 0 (fastest) to 2
//     i64 blocks(int axis, int threads)    along it, where each has so many threads along it
//
//     V shuffle_xor(V x, int mask)         lane ^ mask's x; V is float or u32
//     u64 ballot(bool)                     bit l is lane l's
//     block_barrier()                      orders scratchpad and global memory
//     warp_barrier()                       orders scratchpad
//     retire(u32 at, u32 bytes)            scratchpad that is dead after the next block barrier;
//                                          all threads say so; nothing on hardware
//
//     u32 opaque(u32 x)                    x, of which compilers are to know nothing: addresses
//     that
//                                          differ from it by constants then share its register
//     V ldg<V>(const void*)                global memory
//     stg(void*, V)
//     V lds<V>(u32 at)                     scratchpad
//     sts(u32 at, V)
//
//     copy_async(u32 to, const void* from, int bytes)
//                                          `bytes` of global memory, at most 16, to 16 of
//                                          scratchpad, zeros in the rest (`from` is a valid
//                                          address, aligned to 16, all the same)
//     copy_direct(u32 to, const void* from, bool present)
//                                          by all lanes of the warp: 4 bytes of global memory to
//                                          scratchpad for those with `present`, whose `to` lie
//                                          4 * lane behind one place
//     copy_commit()                        closes a group of this thread's copies
//     copy_wait<N>()                       all but this thread's latest N groups have landed;
//                                          other threads see them after a barrier; of direct copies
//                                          all (N = 0)
//
//     u32 pack<T>(float lo, float hi)      two f16 or bf16, to nearest even, lo in the low half
//     float widen<T>(u16)
//     static float exp2(float)             exp2(-inf) = 0
//     static float log(float)              natural; log(0) = -inf
//     static float fma(float, float, float)
//
//     u32 atomic_add(u32 at, u32 x)        scratchpad, relaxed; what was there
//     u32 atomic_cas(u32 at, u32 expected, u32 x)
//     u32 peek(u32 at)                     a read that may race with atomics
//     i32 atomic_add(i32*, i32)            global, relaxed
//
// All lanes of the warp take part in exchanges, and in matrix instructions, of which a target
// supplies only those that its fragments use (fragment.h gives their layouts; c += a b; T is f16 or
// bf16; the numbers are registers of c, a and b):
//
//     load_matrices(u32 (&r)[4], u32 at)               four 8x8 matrices of 16-bit elements:
//     load_matrices_transposed(u32 (&r)[4], u32 at)    lane 8 i + j has row j of matrix i at `at`
//     mma_m16n8k16<T>(float* c, const u32* a, const u32* b)     4 4 2
//     mfma_16x16x16<T>(c, a, b)                                 4 2 2
//     wmma_gfx11<T>(c, a, b)                                    8 8 8
//     wmma_gfx12<T>(c, a, b)                                    8 4 4
//
// Products of a warpgroup (four warps; threads 128 g .. of the block), of 64 rows, a depth of 16
// and N columns, with N a power of two from 16 to 256. Operands in scratchpad are given by matrix
// descriptors (wgmma_atom.h), which name it by address(). All of it is asynchronous.
//
//     u32 address(u32 at)
//     proxy_fence()                        what this thread has written to scratchpad becomes
//                                          visible to products after a barrier
//     product_fence()                      registers written before may be used by products
//     product<T, N, LeftDown, RightDown>(float* sums, u64 left, u64 right, bool accumulate)
//                                          k along the rows of each, or down
//     product_down<T, N>(float* sums, const u32* left, u64 right)            down right's rows
//     product_commit()                     closes a group of products
//     product_wait<N>()                    all but the latest N groups are done
//     settle(float& x)                     x is not read before this place
//
// Barriers in phases, 8 bytes of scratchpad each: a phase is over when so many threads have
// arrived, and what they did before comes before what waiters do next. Phases alternate in parity,
// the first has 0; a wait for 1 on a fresh barrier does not wait.
//
//     phase_init(u32 at, u32 arrivals)     by one thread, before a block barrier
//     phase_arrive(u32 at)
//     phase_arrive(u32 at, u32 dead, u32 bytes)   and that scratchpad is dead after the phase
//     phase_arrive_copies(u32 at)          arrives when this thread's copies so far have landed
//     phase_expect(u32 at, u32 bytes)      arrives, and the phase is not over before bulk copies
//                                          have brought so many bytes
//     copy_box(u32 to, const TensorMap&, const BoxPlace<4>&, u32 barrier)
//                                          a box of a tensor, zeros for what lies beyond it; when
//                                          it is there, its bytes count on the barrier, which a
//                                          proxy_fence() has made visible to copies
//     phase_wait(u32 at, u32 parity)       until the phase of that parity is over
//     warps_barrier(int number, int threads)   of whole warps that name the same number, 1 to 15
//     warps_arrive(int number, int threads)    counts there as one of them, and does not wait
//     take_registers<N>(), give_registers<N>() of a warpgroup: its threads then have N each
//
// Where names a place in the kernel's source for the emulator's reports. Operations of a block take
// one as last argument, defaulted to Where::here(); hardware targets define it empty:
//
//     struct Where { static TILE_FN constexpr Where here() { return {}; } };
//     struct WhereScope { TILE_FN WhereScope(const Target&, Where) {} };

#pragma once

#include "tile/core.h"
#include "tile/view.h"

namespace tile {

// 4, 8 or 16 bytes that move as one.
template <int N>
struct alignas(4 * N) Words {
  u32 x[N];
};

}  // namespace tile
