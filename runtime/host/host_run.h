// One launch() under way: where its buffers are, and what Read steps have read. Lives on the stack
// of the calling thread and allocates nothing.

#pragma once

#include <array>
#include <span>

#include "runtime/host/host_dispatch.h"

namespace kiln::runtime {

class HostDispatch::Run {
 public:
  Run(const HostDispatch& dispatch, std::span<const Tensor> tensors, char* workspace,
      ParallelFor& parallel)
      : dispatch_(dispatch),
        tensors_(tensors),
        workspace_(workspace),
        parallel_(parallel),
        symbols_(dispatch.symbols_) {}

  Status all_steps();

 private:
  struct alignas(64) Slots : std::array<KilnU64, kMaxSlots> {};

  Status run(const BoundLaunch& launch);
  Status run(const CheckedPlan::Fill& fill);
  Status run(const CheckedPlan::Read& read);
  Status run(const CheckedPlan::Scan& scan);

  Status fill_in_late(const BoundLaunch& launch, Grid& grid, Slots& slots) const;
  void fill_bytes(char* first, int64_t bytes, uint8_t byte);

  // Runs a grid whose threads are emulated: as run_blocks(), and says what was found.
  Status emulate(const BoundLaunch& launch, KilnHostLaunch& shared);
  void run_blocks(const BoundLaunch& launch, const KilnHostLaunch& shared);

  char* address_of(size_t buffer) const;
  std::span<const int64_t> strides_of(size_t buffer) const;
  char* own_bytes_of(int worker) const;
  const BufferLayout& layout_of(size_t buffer) const { return dispatch_.layout_.buffers[buffer]; }

  const HostDispatch& dispatch_;
  std::span<const Tensor> tensors_;
  char* workspace_;
  ParallelFor& parallel_;
  std::array<int64_t, kMaxPlanSymbols> symbols_;
};

}  // namespace kiln::runtime
