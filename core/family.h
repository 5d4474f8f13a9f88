// A family of kernels: a template with its schema, space, plan, workload and reference.
//
// Adding a family is adding a folder under templates/ whose family.cpp defines
//     const kiln::Family& family();        in namespace kiln::<folder>
// Every method is const, thread-safe and free of input and output. Problems passed in have passed
// their schema; all methods but check() may assume that check() passed too.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/kernel_source.h"
#include "core/plan.h"
#include "core/problem.h"
#include "core/schema.h"
#include "core/space.h"
#include "core/status.h"
#include "core/target.h"
#include "core/tensor.h"

namespace kiln {

// Work of a problem by the family's stated convention; independent of the variant.
struct Cost {
  double flops = 0;
  double bytes = 0;              // least traffic: every argument once
  bool bandwidth_bound = false;  // report GB/s rather than GFLOP/s
};

// FLOPs a byte below which memory sets the time on any device worth tuning for.
inline constexpr double kBandwidthBoundIntensity = 8;

// Receives what a reference computed: one call for each output element of a unit.
class ReferenceSink {
 public:
  virtual ~ReferenceSink() = default;
  // `offset` in elements from the tensor's first; |actual - expected| must be <= tolerance;
  // infinities must be equal.
  virtual void expect(std::string_view output, int64_t offset, double expected,
                      double tolerance) = 0;
};

class Family {
 public:
  virtual ~Family() = default;

  virtual const Schema& schema() const = 0;
  std::string_view name() const { return schema().family(); }

  // Contradictions between fields and overflow of sizes, as invalid_field().
  virtual Status check(const Problem& problem) const = 0;

  // Whether there are kernels for the target, FAILED_PRECONDITION otherwise. Only then may it be
  // named below.
  virtual Status supports(const Target& /*target*/) const { return absl::OkStatus(); }

  virtual Space space(const Problem& problem, const Target& target) const = 0;
  // A point of the space that is good without tuning.
  virtual Config default_config(const Problem& problem, const Target& target) const = 0;

  virtual KernelSource source(const Problem& problem, const Config& config,
                              const Target& target) const = 0;
  virtual Plan plan(const Problem& problem, const Config& config, const Target& target) const = 0;

  virtual Cost cost(const Problem& problem) const = 0;
  virtual std::string cost_convention() const = 0;  // the formulae in one or two lines

  // A small problem with the same statics that exercises every path of a variant (tails, borders);
  // its reference takes well under 100 ms.
  virtual Problem probe(const Problem& problem) const = 0;

  // Fills one input with reproducible values.
  virtual void fill_input(const Problem& problem, uint64_t seed, HostTensor& input) const = 0;

  // The reference is cut into units (attention: a query row of a head; convolution: an output row)
  // that can be computed alone. `border_units` are those that a sample must include, in any order;
  // repetitions and what is not a unit are passed over.
  virtual int64_t reference_units(const Problem& problem) const = 0;
  virtual double reference_unit_flops(const Problem& problem) const = 0;
  virtual std::vector<int64_t> border_units(const Problem& problem) const = 0;
  // Computes one unit in double precision with plain loops from the inputs and reports each of its
  // output elements. `tensors` holds inputs and outputs by name (outputs for shape and strides).
  virtual void reference_unit(const Problem& problem, std::span<const HostTensor> tensors,
                              int64_t unit, ReferenceSink& sink) const = 0;
  virtual std::string tolerance_derivation() const = 0;
};

// The tensor with this name; aborts when there is none.
const HostTensor& find_tensor(std::span<const HostTensor> tensors, std::string_view name);

}  // namespace kiln
