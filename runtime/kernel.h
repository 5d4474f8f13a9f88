// A loaded artifact with its plan, ready to launch.
//
//     KILN_ASSIGN_OR_RETURN(auto kernel, Kernel::load(artifact, plan));
//     KILN_ASSIGN_OR_RETURN(Dispatch d, kernel->prepare(problem.sizes(), problem.scalars()));
//     d.launch(tensors, workspace, pool);
//     d.enqueue(tensors, workspace, stream);  // GPUs: behind what is in the caller's stream
//
// A Kernel is immutable, thread-safe and reference-counted; code stays mapped while any Kernel or
// Dispatch refers to it. load() treats both arguments as untrusted: hash, instruction set, ABI
// version, entries, slots, expressions and names are checked before anything runs. (Native code
// runs with the caller's rights all the same: load only what comes from a trusted daemon.)
//
// Kernels for GPUs (runtime/gpu/) belong to the context that is current where they are prepared
// first, and are launched and released there; tensors and workspace are addresses in device memory.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/artifact.h"
#include "core/plan.h"
#include "core/status.h"
#include "core/tensor.h"
#include "runtime/parallel_for.h"

namespace kiln::runtime {

// One argument tensor at launch, in the order of the plan's input and output buffers.
struct Tensor {
  void* data = nullptr;              // null only for optional buffers
  const int64_t* strides = nullptr;  // in elements, one an axis; null: dense in the buffer's order
};

class Dispatch;

class Kernel : public std::enable_shared_from_this<Kernel> {
 public:
  static StatusOr<std::shared_ptr<const Kernel>> load(const Artifact& artifact, const Plan& plan);
  virtual ~Kernel() = default;

  // Whether tensors and workspace of a launch lie in a GPU's memory.
  virtual bool runs_on_gpu() const { return false; }
  const Plan& plan() const { return plan_; }
  // The plan's input and output buffers in order: what launch() takes.
  const std::vector<Buffer>& arguments() const { return arguments_; }

  // Evaluates grids, sizes and shapes once for these symbols (in the plan's order). OUT_OF_RANGE
  // names a symbol outside the plan's range; OVERFLOW of an expression is OUT_OF_RANGE too.
  virtual StatusOr<Dispatch> prepare(std::span<const int64_t> symbols,
                                     std::span<const double> scalars) const = 0;

 protected:
  Kernel(Plan plan, std::vector<Buffer> arguments)
      : plan_(std::move(plan)), arguments_(std::move(arguments)) {}

 private:
  Plan plan_;
  std::vector<Buffer> arguments_;
};

// A kernel bound to sizes. Cheap to copy; keeps its kernel alive.
class Dispatch {
 public:
  // Bytes of workspace that launch() needs (temporaries and per-worker buffers), 64-byte aligned.
  int64_t workspace_bytes(int workers) const;
  // Shape and dense strides of each argument.
  std::span<const HostTensor> arguments() const;

  // Runs all steps and returns when they are done. Allocates nothing. INVALID_ARGUMENT names a
  // buffer that is missing, misaligned or has the wrong unit stride. `workspace` may be null when
  // workspace_bytes() is 0. Thread-safe when `parallel` is.
  Status launch(std::span<const Tensor> tensors, void* workspace, ParallelFor& parallel) const;

  // GPUs: enqueues all steps on `stream` (a CUstream or hipStream_t; null: the default one) and
  // returns; nothing is waited for but by a plan with a Read or a Scan. Can be captured into a
  // graph unless the plan has one. What a kernel does wrong shows at the next call that waits.
  // FAILED_PRECONDITION for kernels of this processor.
  Status enqueue(std::span<const Tensor> tensors, void* workspace, void* stream) const;

  struct Body;
  explicit Dispatch(std::shared_ptr<const Body> body) : body_(std::move(body)) {}

 private:
  std::shared_ptr<const Body> body_;
};

}  // namespace kiln::runtime
