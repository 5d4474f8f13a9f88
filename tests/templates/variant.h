// Variants of a family compiled for this machine and compared with the family's reference.
//
//     Bench bench(attention_forward::family(), "host:avx2");
//     bench.verify("batch=1 heads_q=2 …", config);                 // fails the test case
//
// Every tensor lies between guard zones and, unless dense, with gaps between its rows; inputs
// beyond the tensor are NaN, outputs are poisoned, and what lies beyond an output must stay as it
// was.

#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/family.h"
#include "devices/device.h"
#include "runtime/kernel.h"
#include "tests/support/emulated_processor.h"
#include "tests/support/scratch_directory.h"

namespace kiln::test {

struct Spacing {
  int64_t row_gap = 0;     // elements between rows along the innermost axis
  int64_t lead = 0;        // elements by which the first element is off a cache line
  bool optional = true;    // give optional buffers
  double deviation = 1.0;  // multiplies the inputs
};

struct Machine {
  std::string device;
  int forced_lanes;
  bool paired_bf16;
};

// What this machine can run, the code path of 16 lanes included; or, where the processor is
// emulated, the instruction sets that it has beyond this machine's.
std::vector<Machine> machines();

// A problem by its fields: "m=3 n=4".
StatusOr<Problem> parse_problem(const Family& family, const std::string& fields);

// What became of a variant: OK, or what was wrong with it first.
struct Outcome {
  Status status;
  double worst = 0;  // largest error over its tolerance
};

class Bench {
 public:
  // `forced_lanes` compiles the code path of vectors of that many lanes, whatever the processor
  // has; with `paired_bf16` also that of its bf16 dot product. What this machine cannot run is run
  // by the emulated processor.
  Bench(const Family& family, const std::string& device, int forced_lanes = 0,
        bool paired_bf16 = false);
  // With kernel sources other than the embedded ones.
  Bench(const Family& family, const std::string& device, devices::SourceTree sources);

  // Whether this machine can run what this device compiles.
  static bool available(const std::string& device);

  const Target& target() const { return target_; }
  Problem problem(const std::string& fields) const;
  // The problem's default config with the parameters that `changes` names set.
  Config config(const std::string& fields, const std::string& changes) const;

  // Compiles, runs on one worker and on three, compares every element with the reference; the two
  // runs must agree bit by bit. Returns the largest error over its tolerance.
  double verify(const std::string& fields, const Config& config, const Spacing& spacing = {});
  double verify(const Problem& problem, const Config& config, const Spacing& spacing = {});
  double verify_default(const std::string& fields, const Spacing& spacing = {});
  // Verifies `count` points of the problem's space, which must have at least `least`, on its probe.
  struct Draw {
    size_t least = 0;
    int count = 0;
  };
  void verify_random_points(const std::string& fields, const Draw& draw, std::mt19937& random);
  // For what this machine cannot run.
  void compile_default(const std::string& fields);

  // As verify(), with the verdict left to the caller.
  Outcome attempt(const Problem& problem, const Config& config, const Spacing& spacing = {});

 private:
  Bench(const Family& family, const std::string& device, devices::SourceTree sources,
        int forced_lanes, bool paired_bf16);
  StatusOr<Artifact> compile(const Problem& problem, const Config& config);
  StatusOr<std::shared_ptr<const runtime::Kernel>> kernel(const Problem& problem,
                                                          const Config& config);
  Status launch(const runtime::Dispatch& dispatch, const std::vector<runtime::Tensor>& arguments,
                int workers) const;

  const Family& family_;
  Target target_;
  testing::ScratchDirectory cache_;
  std::unique_ptr<devices::Device> device_;
  testing::EmulatedProcessor* emulated_ = nullptr;
  std::map<std::string, Artifact> artifacts_;  // by statics and config
};

}  // namespace kiln::test
