// What a problem's outputs should be: the family's reference on all units, or on those at borders
// and a random sample where all would take too long. Computed once, compared with every variant.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/family.h"
#include "core/measurement.h"
#include "core/problem.h"
#include "core/status.h"
#include "core/tensor.h"

namespace kiln::tuner {

struct ReferenceOptions {
  double flops = 2e8;          // of all units together; about a second per 1e9 and thread
  int64_t elements = 4 << 20;  // kept in memory, 24 bytes each
  uint64_t seed = 1;           // of the sample
  int threads = 1;
};

class Reference {
 public:
  // `tensors`: inputs filled; outputs for shape, absent optional ones null. CANCELLED when stopped.
  static StatusOr<std::unique_ptr<Reference>> make(const Family& family, const Problem& problem,
                                                   std::span<const HostTensor> tensors,
                                                   const ReferenceOptions& options,
                                                   std::stop_token stop);

  struct Result {
    bool wrong = false;
    std::string diagnostics;  // the first wrong element
    double worst_error = 0;   // |actual - expected| / tolerance
    double worst_absolute = 0;
  };
  struct Expected {
    int64_t offset;  // in elements from the tensor's first
    double value;
    double tolerance;
  };
  // What was computed of tensor `index`, in no particular order.
  std::span<const Expected> expected(size_t index) const { return expected_[index]; }

  // Tensors as in make(); those that are absent now are skipped.
  Result compare(std::span<const HostTensor> tensors) const;

  int64_t units() const { return units_; }
  int64_t units_total() const { return units_total_; }

 private:
  class Collector;

  std::vector<std::vector<Expected>> expected_;  // [tensor]
  int64_t units_ = 0;
  int64_t units_total_ = 0;
};

}  // namespace kiln::tuner
