// A family for tests of the tuner and of the engine: out[i] = scale * x[i] + y[i], and an optional
// second output twice that. Its space has one parameter, `behaviour`: variants that are right, fast
// or slow, and variants that do everything a variant must not do.
//
//     TrialFamily family({Behaviour::kSlow, Behaviour::kFast, Behaviour::kSegfault});
//     auto device = devices::open_device("host", {.sources = TrialFamily::sources(), …});

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/family.h"
#include "devices/device.h"

namespace kiln::testing {

// Labels of the parameter, by value.
enum class Behaviour : int {
  kSlow,        // the default: right, does its work `kSlowRounds` times
  kSlower,      // four times as much again
  kFast,        // right, once
  kWrong,       // one element off
  kNan,         // one element NaN
  kUnwritten,   // one element left alone
  kBefore,      // writes one element before its output
  kAfter,       // writes one element behind its output
  kInput,       // writes into its input
  kSegfault,    // writes to address 16
  kAbort,       // an undefined instruction
  kExit,        // ends the process with code 0
  kLoop,        // never ends
  kFork,        // makes processes
  kPrint,       // prints without end
  kAllocate,    // maps memory without end
  kBroken,      // does not compile
  kFlaky,       // right at the first launch only
  kOverfitted,  // right on the data of seed 1 only
  kSpills,      // right; its compiler for GPUs says that it spills
  kCount
};

// Schema fields: n (sized), scale (scalar, default 2), tag (static, default 0: tells problems
// apart).
class TrialFamily : public Family {
 public:
  // The first behaviour is the default configuration.
  explicit TrialFamily(std::vector<Behaviour> behaviours) : behaviours_(std::move(behaviours)) {}

  // Everything the kernels include, with a lowering of a few lines.
  static devices::SourceTree sources();
  static Config config(Behaviour behaviour);
  static Behaviour behaviour(const Config& config);

  Problem problem(int64_t n, double scale = 2.0, int64_t tag = 0) const;

  const Schema& schema() const override;
  Status check(const Problem& problem) const override;
  Space space(const Problem& problem, const Target& target) const override;
  Config default_config(const Problem& problem, const Target& target) const override;
  KernelSource source(const Problem& problem, const Config& config,
                      const Target& target) const override;
  Plan plan(const Problem& problem, const Config& config, const Target& target) const override;
  Cost cost(const Problem& problem) const override;
  std::string cost_convention() const override;
  Problem probe(const Problem& problem) const override;
  void fill_input(const Problem& problem, uint64_t seed, HostTensor& input) const override;
  int64_t reference_units(const Problem& problem) const override;
  double reference_unit_flops(const Problem& problem) const override;
  std::vector<int64_t> border_units(const Problem& problem) const override;
  void reference_unit(const Problem& problem, std::span<const HostTensor> tensors, int64_t unit,
                      ReferenceSink& sink) const override;
  std::string tolerance_derivation() const override;

 private:
  std::vector<Behaviour> behaviours_;
};

}  // namespace kiln::testing
