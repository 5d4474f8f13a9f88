// The buffers of a request in the child's address space.
//
// For verification every tensor lies in pages of its own between guards that cannot be touched;
// inputs cannot be written. For timing there are copies without guards between them.

#pragma once

#include <cstdint>
#include <vector>

#include "core/status.h"
#include "runtime/kernel.h"
#include "tuner/memory_file.h"
#include "tuner/worker/confinement.h"
#include "tuner/worker/protocol.h"

namespace kiln::tuner::worker {

class ChildBuffers {
 public:
  static StatusOr<ChildBuffers> map(const RunRequest& request, int inputs, int outputs);

  // Arguments of a launch on the guarded buffers.
  std::vector<runtime::Tensor> guarded(bool without_optional) const;
  // Arguments of a launch on one of the copies; `tensors` as guarded() gave them.
  int64_t copies() const { return request_->copies; }
  void select_copy(int64_t copy, std::vector<runtime::Tensor>& tensors) const;
  // Makes the copies' pages present, so that timing does not count page faults.
  void populate_copies() const;

  // Memory of `bytes` that ends at a guard, 64-byte aligned; null for none.
  StatusOr<void*> make_workspace(int64_t bytes, bool zero);

  const std::vector<WatchedRange>& watched() const { return watched_; }

 private:
  StatusOr<char*> map_guarded(int fd, int64_t offset, int64_t bytes, int protection);

  const RunRequest* request_ = nullptr;
  std::vector<Mapping> mappings_;
  std::vector<char*> guarded_;
  std::vector<WatchedRange> watched_;
  char* input_copies_ = nullptr;
  char* output_copies_ = nullptr;
};

}  // namespace kiln::tuner::worker
