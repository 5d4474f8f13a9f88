// The contract between an artifact of the emulator and the run time that emulates a GPU for it.
//
// Such an artifact is a host artifact (runtime/host/abi.h) whose blocks are grids of threads: its
// `blocks` hands the body of a thread to the emulator, which runs it once for every thread of every
// block, each on a stack of its own, and calls back for everything that touches memory or other
// threads. Every call names the place in the lowering's source that makes it.
//
// This header is compiled both into the artifacts and into the run time; it includes nothing.

#pragma once

#include "runtime/host/abi.h"

enum { kKilnEmulatorAbiVersion = 7 };

enum KilnEmulatorType { kKilnEmulatorF16, kKilnEmulatorBf16 };
enum KilnEmulatorScope { kKilnEmulatorBlock, kKilnEmulatorWarp };
enum KilnEmulatorInstruction {
  kKilnEmulatorMmaM16N8K16,
  kKilnEmulatorMfma16x16x16,
  kKilnEmulatorWmmaGfx11,
  kKilnEmulatorWmmaGfx12,
};
enum KilnEmulatorAtomic {
  kKilnEmulatorAdd,
  kKilnEmulatorCompareAndSwap,
  kKilnEmulatorPeek,
};

struct KilnPlace {
  const char* file;
  int line;
};

// A product of a warpgroup: sums (+)= left right, with 64 rows and a depth of 16.
struct KilnEmulatorProduct {
  int type;                  // KilnEmulatorType
  int columns;               // a multiple of 8, at most 256
  float* sums;               // this thread's columns / 2
  const KilnU32* left;       // this thread's four registers, or null:
  KilnU64 left_descriptor;   // 64 rows of 16 in scratchpad
  KilnU64 right_descriptor;  // scratchpad offsets in the place of addresses
  int left_down;             // their k runs down the rows ("MN-major")
  int right_down;
  int accumulate;  // 0: sums are overwritten
};

// What the words of a tensor map hold (runtime/host/abi.h). The first dimension's elements lie side
// by side.
enum { kKilnEmulatorMapRank = 5 };
struct KilnEmulatorTensorMap {
  KilnU64 mark;  // kKilnEmulatorMapMark
  KilnU64 address;
  KilnU64 strides[kKilnEmulatorMapRank - 1];  // bytes, from the second dimension on
  KilnU32 sizes[kKilnEmulatorMapRank];        // elements
  KilnU32 box[kKilnEmulatorMapRank];
  KilnU32 rank, element_bytes;
  KilnU32 span;  // bytes within which chunks of 16 are exchanged; 0: none
};
static const KilnU64 kKilnEmulatorMapMark = 0x70616d2d6e6c696b;

struct KilnEmulatorApi;

// A thread at work; made by the run time.
struct KilnEmulatorThread {
  const struct KilnEmulatorApi* api;
  int thread, lane, warp;  // in the block, in the warp, of the block
  KilnI64 block[3], grid[3];
  struct KilnPlace kernel;  // the artifact keeps here which line of the kernel is at work
};

struct KilnEmulatorBody {
  void (*run)(const KilnU64* slots, struct KilnEmulatorThread* thread);
  int threads;  // of a block
  int lanes;    // of a warp
  KilnU32 scratchpad_bytes;
};

// Alike for all threads; a launch holds one (KilnHostLaunch::emulator).
struct KilnEmulatorApi {
  KilnU32 version;

  // Runs blocks [first, last) of the launch's grid.
  void (*run)(const struct KilnHostLaunch* launch, const struct KilnEmulatorBody* body,
              KilnI64 first, KilnI64 last);

  void (*load_global)(struct KilnEmulatorThread*, void* value, const void* from, KilnU32 bytes,
                      struct KilnPlace);
  void (*store_global)(struct KilnEmulatorThread*, void* to, const void* value, KilnU32 bytes,
                       struct KilnPlace);
  void (*load_shared)(struct KilnEmulatorThread*, void* value, KilnU32 from, KilnU32 bytes,
                      struct KilnPlace);
  void (*store_shared)(struct KilnEmulatorThread*, KilnU32 to, const void* value, KilnU32 bytes,
                       struct KilnPlace);
  // Writes `bytes` of scratchpad: the first `present` from global memory, zeros in the rest.
  void (*copy_async)(struct KilnEmulatorThread*, KilnU32 to, const void* from, KilnU32 bytes,
                     KilnU32 present, struct KilnPlace);
  // By all lanes of a warp: 4 bytes of global memory to scratchpad for those that are present,
  // whose `to` must lie 4 * lane behind one place.
  void (*copy_direct)(struct KilnEmulatorThread*, KilnU32 to, const void* from, int present,
                      struct KilnPlace);
  void (*copy_commit)(struct KilnEmulatorThread*);
  void (*copy_wait)(struct KilnEmulatorThread*, KilnU32 groups_in_flight);
  void (*retire)(struct KilnEmulatorThread*, KilnU32 from, KilnU32 bytes);

  void (*barrier)(struct KilnEmulatorThread*, int scope, struct KilnPlace);
  KilnU32 (*shuffle_xor)(struct KilnEmulatorThread*, KilnU32 value, int mask, struct KilnPlace);
  KilnU64 (*ballot)(struct KilnEmulatorThread*, int vote, struct KilnPlace);
  // Four 8x8 matrices of 16-bit elements, a row of 16 bytes at each lane's `from`.
  void (*load_matrices)(struct KilnEmulatorThread*, KilnU32* registers, KilnU32 from,
                        int transposed, struct KilnPlace);
  void (*multiply)(struct KilnEmulatorThread*, int instruction, int type, float* sums,
                   const KilnU32* left, const KilnU32* right, struct KilnPlace);

  // Asynchronous products, all threads of a warpgroup together. Sums, left registers and scratchpad
  // belong to a product until a wait for its group.
  void (*product)(struct KilnEmulatorThread*, const struct KilnEmulatorProduct*, struct KilnPlace);
  void (*product_fence)(struct KilnEmulatorThread*);
  void (*product_commit)(struct KilnEmulatorThread*);
  void (*product_wait)(struct KilnEmulatorThread*, KilnU32 groups_in_flight, struct KilnPlace);
  // What this thread has written to scratchpad becomes visible to products.
  void (*proxy_fence)(struct KilnEmulatorThread*);

  // Barriers in phases, 8 bytes of scratchpad each: a phase is over when `arrivals` have come, and
  // what came before them comes before what waiters do next.
  void (*phase_init)(struct KilnEmulatorThread*, KilnU32 at, KilnU32 arrivals, struct KilnPlace);
  // The `bytes` of scratchpad from `dead` on hold nothing once this phase is over.
  void (*phase_arrive)(struct KilnEmulatorThread*, KilnU32 at, KilnU32 dead, KilnU32 bytes,
                       struct KilnPlace);
  // Arrives when this thread's copies so far have landed.
  void (*phase_arrive_copies)(struct KilnEmulatorThread*, KilnU32 at, struct KilnPlace);
  // Arrives, and the phase is not over before copies have brought `bytes` more.
  void (*phase_expect)(struct KilnEmulatorThread*, KilnU32 at, KilnU32 bytes, struct KilnPlace);
  // Brings the box at these coordinates, one a dimension of the map, to scratchpad; when it is
  // there, its bytes count on the barrier.
  void (*copy_box)(struct KilnEmulatorThread*, KilnU32 to, const void* map, const int* coordinates,
                   int rank, KilnU32 barrier, struct KilnPlace);
  // Until the phase of that parity is over.
  void (*phase_wait)(struct KilnEmulatorThread*, KilnU32 at, int parity, struct KilnPlace);
  // A barrier of `threads` threads, whole warps, that name it by the same number below 16. Without
  // `waits` this thread does not wait for the others.
  void (*warps_barrier)(struct KilnEmulatorThread*, int number, int threads, int waits,
                        struct KilnPlace);

  // On a word of scratchpad; returns what was there.
  KilnU32 (*atomic_shared)(struct KilnEmulatorThread*, int operation, KilnU32 at, KilnU32 operand,
                           KilnU32 expected, struct KilnPlace);
  int (*atomic_add_global)(struct KilnEmulatorThread*, int* at, int operand, struct KilnPlace);

  KilnU32 (*pack)(int type, float low, float high);
  float (*widen)(int type, unsigned short bits);
  float (*exp2)(float);
  float (*log)(float);
};
