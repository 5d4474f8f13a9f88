// The contract between a compiled host artifact and whoever runs it.
//
// An artifact is a shared object without dependencies. It exports two C symbols and nothing else:
//
//     const KilnHostInfo* kiln_host_info_v1(void);
//     void kiln_host_blocks_v1(uint32_t entry, const KilnHostLaunch* launch,
//                              int64_t first, int64_t last, void* scratch);
//
// `blocks` computes the blocks [first, last) of the launch's grid, x fastest. It makes no threads,
// allocates nothing, raises no signal on purpose and touches only what the arguments name. It may
// be called from any thread, from several at once with disjoint ranges, each with its own scratch.
//
// This header is compiled both into the artifacts and into the run time; it includes nothing.

#pragma once

typedef unsigned int KilnU32;
typedef long long KilnI64;
typedef unsigned long long KilnU64;

enum { kKilnHostAbiVersion = 1 };
enum { kKilnMapSlots = 24, kKilnMapWords = 16, kKilnMapAlignment = 8 };

struct KilnHostEntry {
  const char* name;       // as the plan's launch step names it
  KilnU32 slots;          // number of 8-byte argument slots
  KilnU32 scratch_bytes;  // scratch a calling thread brings, 64-byte aligned; 0 if none
  KilnU32 stack_bytes;    // upper bound of stack use, so that small stacks can be refused
};

struct KilnHostInfo {
  KilnU32 abi_version;
  KilnU32 entries;
  const KilnHostEntry* entry;
  const char* instruction_set;  // as devices name it: "baseline", "avx2", "avx512", "avx512bf16"
};

// Every argument is one or more 8-byte slots, in the order of the plan:
//   tensor  the address of its first element, then one stride (in elements) for each axis
//   size    a 64-bit integer
//   scalar  an IEEE double
//   tensor map  kKilnMapSlots, the first a multiple of kKilnMapAlignment: kKilnMapWords that hold
//           the map as the target's bulk copies take it, then one that is 1 where it does, and 0
//           where they cannot bring a tensor that lies so; the rest mean nothing
// An optional tensor that is absent has address 0. Slots begin at a multiple of 64 bytes; where
// there is a map, their number is a multiple of kKilnMapAlignment.
//
// `emulator` is null but for artifacts of the emulator (runtime/emulator/abi.h).
struct KilnHostLaunch {
  const KilnU64* slots;
  KilnI64 grid[3];
  const struct KilnEmulatorApi* emulator;
};
