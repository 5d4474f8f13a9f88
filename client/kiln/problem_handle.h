// A checked problem, prepared for repeated lookups: families, statics and policy are one number,
// sizes are plain integers that may be changed in place without allocation.
//
// A handle belongs to the client that prepared it. Copies are cheap enough for one a call site; one
// handle is for one thread at a time.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "client/kiln/kernel_key.h"
#include "client/kiln/policy.h"
#include "core/problem.h"
#include "core/status.h"

namespace kiln {

class ProblemHandle {
 public:
  // Position of a sized field among sizes(); NOT_FOUND names the sized fields.
  StatusOr<size_t> size_index(std::string_view field) const;
  // INVALID_ARGUMENT when the schema does not admit the value; contradictions between fields come
  // to light when the kernel is fetched.
  Status set_size(size_t index, int64_t value);
  // A scalar field is no part of the key: any kernel serves all its values.
  Status set_scalar(std::string_view field, double value);

  // As Kernel::prepare takes them.
  std::span<const int64_t> sizes() const { return sizes_; }
  std::span<const double> scalars() const { return scalars_; }

  const Policy& policy() const { return origin_->policy; }
  Problem problem() const;
  const KernelKey& key() const { return key_; }

 private:
  friend class Client;
  // What copies share.
  struct Origin {
    Problem problem;
    Policy policy;
    uint64_t group = 0;                // of KernelKey
    std::vector<size_t> sized_fields;  // indices into the schema's fields
    std::vector<size_t> scalar_fields;
  };
  explicit ProblemHandle(std::shared_ptr<const Origin> origin);
  static std::shared_ptr<const Origin> origin_of(Problem problem, const Policy& policy,
                                                 uint64_t group);

  // The size as the key holds it: its bucket, or itself for an exact match.
  int64_t key_size(size_t index) const;

  std::shared_ptr<const Origin> origin_;
  std::vector<int64_t> sizes_;
  std::vector<double> scalars_;
  KernelKey key_;
};

}  // namespace kiln
