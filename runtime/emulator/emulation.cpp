#include "runtime/emulator/emulation.h"

#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <utility>

#include "runtime/emulator/block.h"
#include "runtime/emulator/calls.h"

namespace kiln::runtime::emulator {
namespace {

std::atomic<uint64_t> current_seed{1};

// Neighbouring blocks get unlike seeds.
uint64_t mix(uint64_t seed, uint64_t block) {
  uint64_t x = seed * 0x9e3779b97f4a7c15 + block;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

void set_seed(uint64_t seed) {
  current_seed = seed;
}
uint64_t seed() {
  return current_seed;
}

Emulation::Emulation(std::vector<GlobalTensor> tensors, const LaunchShape& shape, uint64_t seed)
    : global_(std::move(tensors)), shape_(shape), seed_(seed) {
  static_cast<KilnEmulatorApi&>(table_) = calls();
  table_.run = run;
  table_.emulation = this;
}

void Emulation::run(const KilnHostLaunch* launch, const KilnEmulatorBody* body, KilnI64 first,
                    KilnI64 last) {
  Emulation& self = *static_cast<const Table*>(launch->emulator)->emulation;
  if (self.shape_.threads != body->threads) {
    self.faults_.add({.kind = Fault::Kind::kDivergence,
                      .detail = fmt::format("the plan launches {} threads a block, the kernel is "
                                            "compiled for {}",
                                            self.shape_.threads, body->threads),
                      .kernel = {},
                      .lowering = {}});
    return;
  }
  if (self.shape_.scratchpad_bytes < body->scratchpad_bytes) {
    self.faults_.add({.kind = Fault::Kind::kScratchpadSize,
                      .detail = fmt::format("the plan gives {} bytes, the kernel needs {}",
                                            self.shape_.scratchpad_bytes, body->scratchpad_bytes),
                      .kernel = {},
                      .lowering = {}});
    return;
  }
  // Stacks are dear to make and belong to whoever runs blocks.
  thread_local std::unique_ptr<Block> block;
  if (!block) block = std::make_unique<Block>();
  const KilnI64 nx = launch->grid[0], ny = launch->grid[1];
  for (KilnI64 b = first; b < last; ++b) {
    block->run({.api = &self.table_,
                .body = body,
                .slots = launch->slots,
                .index = {b % nx, b / nx % ny, b / nx / ny},
                .grid = {nx, ny, launch->grid[2]},
                .scratchpad_bytes = uint32_t(self.shape_.scratchpad_bytes),
                .seed = mix(self.seed_, uint64_t(b)),
                .global = &self.global_,
                .faults = &self.faults_});
  }
}

}  // namespace kiln::runtime::emulator
