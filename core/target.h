// What a kernel is instantiated for: the facts about a device that spaces, defaults and sources
// use.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kiln {

struct Target {
  std::string kind;           // "host", "cuda", "hip", "emulator"
  std::string architecture;   // host: instruction set ("baseline", "avx2", "avx512", "avx512bf16")
  int vector_lanes = 4;       // host: f32 lanes of a vector; GPUs: threads of a warp
  int vector_registers = 16;  // host: architectural vector registers; GPUs: a thread's for values
  bool bf16_dot = false;      // products of bf16 pairs in hardware
  int threads = 1;            // host: threads that a launch may use; GPUs: multiprocessors
  int64_t l1_bytes = 32 << 10;
  int64_t l2_bytes = 512 << 10;      // per core
  int64_t llc_bytes = 8 << 20;       // last-level cache that one launch can use
  int64_t memory_bytes = 1ll << 30;  // that problems may occupy

  // GPUs
  int block_threads = 0;                    // most of a block
  int thread_registers = 0;                 // most of a thread, 32 bits each
  int64_t scratchpad_bytes = 0;             // most of a block
  bool async_copy = false;                  // global memory to scratchpad, past the registers
  std::vector<std::string> fragments = {};  // matrix instructions by tile::Fragment's names, best
                                            // first; fma_16x16x16 goes without saying

  bool is_gpu() const { return kind != "host"; }
};

}  // namespace kiln
