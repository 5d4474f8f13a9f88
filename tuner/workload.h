// The tensors of one problem and seed, in memory that the tuner and its worker share.
//
// Inputs are filled once for all variants and then sealed: nobody can write them any more. Outputs
// are poisoned before each launch that is verified. Every tensor lies in pages of its own, as near
// to their end as its alignment allows; the bytes around it are canaries. Behind those regions come
// copies of the whole set for cold timing.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/family.h"
#include "core/plan.h"
#include "core/problem.h"
#include "core/status.h"
#include "core/tensor.h"
#include "tuner/memory_file.h"
#include "tuner/worker/protocol.h"

namespace kiln::tuner {

// Bytes of the arguments and of the workspace of a plan for this problem; OUT_OF_RANGE on overflow.
struct Footprint {
  int64_t inputs = 0;
  int64_t outputs = 0;
  int64_t workspace = 0;
  int64_t total() const { return inputs + outputs + workspace; }
};
StatusOr<Footprint> footprint(const Plan& plan, const Problem& problem, int threads);

struct WorkloadOptions {
  uint64_t seed = 1;
  int64_t memory_bytes = 0;    // of the device: what may be occupied
  int64_t rotation_bytes = 0;  // copies to exceed this, as far as memory allows; 0: one copy
  bool timed = true;           // false: no copies, verification alone
};

class Workload {
 public:
  // RESOURCE_EXHAUSTED, before anything is allocated, when the problem does not fit in memory.
  static StatusOr<std::unique_ptr<Workload>> make(const Family& family, const Problem& problem,
                                                  const Plan& plan, int threads,
                                                  const WorkloadOptions& options,
                                                  std::stop_token stop);

  const Problem& problem() const { return problem_; }
  uint64_t id() const { return id_; }  // of no other in this process; above 0
  // As verification sees them, in the order of the plan's arguments.
  std::span<const HostTensor> tensors() const { return tensors_; }
  std::vector<HostTensor> tensors_without_optional() const;
  std::span<const worker::TensorPlace> places() const { return places_; }
  int64_t output_bytes() const;

  // Fills outputs with patterns that no arithmetic gives, and the bytes around them with canaries.
  void poison();
  // What a launch did outside its outputs: the first changed canary, as a diagnostic.
  std::optional<std::string> stray_write() const;
  // First element of an output that holds NaN, as a diagnostic that says whether it was written at
  // all; optional outputs are skipped when they were absent.
  std::optional<std::string> not_finite(bool without_optional) const;

  // Fills in the fields about tensors, symbols and scalars.
  void describe(worker::RunRequest& request) const;
  int inputs_fd() const { return inputs_.fd(); }
  int outputs_fd() const { return outputs_.fd(); }

 private:
  explicit Workload(const Problem& problem);
  Status lay_out(const Plan& plan, const WorkloadOptions& options);
  Status fill(const Family& family, uint64_t seed, std::stop_token stop);
  template <class Visit>
  void visit_canaries(Visit visit) const;

  Problem problem_;
  uint64_t id_;
  std::vector<HostTensor> tensors_;
  std::vector<worker::TensorPlace> places_;
  int64_t input_guarded_bytes_ = 0, output_guarded_bytes_ = 0;
  int64_t input_copy_bytes_ = 0, output_copy_bytes_ = 0;
  int64_t copies_ = 0;
  MemoryFile inputs_, outputs_;
  Mapping input_mapping_;   // read only
  Mapping output_mapping_;  // the guarded part
};

// "out[3, 17, 0]" for an element's offset in a dense tensor.
std::string element_name(const HostTensor& tensor, int64_t offset);

}  // namespace kiln::tuner
