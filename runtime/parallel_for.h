// How a host kernel is spread over cores. The caller may bring its own.

#pragma once

#include <cstdint>

namespace kiln::runtime {

class ParallelFor {
 public:
  // Must be called with ranges that cover [0, total) exactly once; `worker` is below workers() and
  // used by one thread at a time.
  using Body = void (*)(void* context, int64_t first, int64_t last, int worker);

  virtual ~ParallelFor() = default;
  virtual int workers() const = 0;
  // Returns when every range is done. One call at a time, unless the implementation says otherwise.
  virtual void run(int64_t total, Body body, void* context) = 0;
};

}  // namespace kiln::runtime
