#include "tests/support/trial_family.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "core/random.h"

namespace kiln::testing {

namespace {

constexpr int64_t kBlock = 4096;  // as in trial_kernel.h

constexpr const char* kLabels[] = {
    "slow",  "slower",   "fast",     "wrong", "nan",        "unwritten", "before",
    "after", "input",    "segfault", "abort", "exit",       "loop",      "fork",
    "print", "allocate", "broken",   "flaky", "overfitted", "spills",
};
static_assert(std::size(kLabels) == size_t(Behaviour::kCount));

constexpr const char* kLowering = R"(
#pragma once
#include "runtime/host/abi.h"
#if defined(TILE_EMULATOR_LANES)
#define TRIAL_INSTRUCTION_SET "warp32"
#elif defined(__AVX512BF16__)
#define TRIAL_INSTRUCTION_SET "avx512bf16"
#elif defined(__AVX512F__)
#define TRIAL_INSTRUCTION_SET "avx512"
#elif defined(__AVX2__)
#define TRIAL_INSTRUCTION_SET "avx2"
#else
#define TRIAL_INSTRUCTION_SET "baseline"
#endif
#define KILN_ENTRIES(Config, Kernel)                                                           \
  static const KilnHostEntry kEntry = {"scale", 10, 0, 4096};                                  \
  static const KilnHostInfo kInfo = {kKilnHostAbiVersion, 1, &kEntry, TRIAL_INSTRUCTION_SET};  \
  extern "C" __attribute__((visibility("default"))) const KilnHostInfo* kiln_host_info_v1() {  \
    return &kInfo;                                                                             \
  }                                                                                            \
  extern "C" __attribute__((visibility("default"))) void kiln_host_blocks_v1(                  \
      KilnU32, const KilnHostLaunch* launch, KilnI64 first, KilnI64 last, void*) {             \
    const auto& arguments = *(const trial::Args*)launch->slots;                                \
    for (KilnI64 block = first; block < last; ++block) Kernel<Config>::run(arguments, block);  \
  }
)";

std::string read_source(const std::string& path) {
  std::ifstream file(std::string(KILN_SOURCE_DIRECTORY) + "/" + path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file || text.str().empty()) throw std::runtime_error("cannot read " + path);
  return text.str();
}

}  // namespace

devices::SourceTree TrialFamily::sources() {
  return {{"tile/host.h", kLowering},
          // The tests' compiler for GPUs takes the emulator's.
          {"tile/emulator.h", kLowering},
          {"tile/cuda.h", "#include \"tile/emulator.h\"\n"},
          {"runtime/host/abi.h", read_source("runtime/host/abi.h")},
          {"trial/kernel.h", read_source("tests/support/trial_kernel.h")}};
}

Config TrialFamily::config(Behaviour behaviour) {
  return Config({{"behaviour", int(behaviour)}});
}

Behaviour TrialFamily::behaviour(const Config& config) {
  return Behaviour(config.at("behaviour"));
}

const Schema& TrialFamily::schema() const {
  static const Schema schema("trial", 1, "out = scale x + y",
                             {Field{.name = "n",
                                    .field_class = FieldClass::kSized,
                                    .documentation = "Elements.",
                                    .minimum = 1,
                                    .maximum = double(int64_t(1) << 40),
                                    .bucketing = {.exact_up_to = 64, .per_octave = 4}},
                              Field{.name = "scale",
                                    .field_class = FieldClass::kScalar,
                                    .type = FieldType::kReal,
                                    .documentation = "Factor of x.",
                                    .default_value = 2.0,
                                    .minimum = -1e6,
                                    .maximum = 1e6},
                              Field{.name = "tag",
                                    .documentation = "Tells problems apart.",
                                    .default_value = int64_t(0),
                                    .minimum = 0,
                                    .maximum = 1000}});
  return schema;
}

Problem TrialFamily::problem(int64_t n, double scale, int64_t tag) const {
  return Problem::make(schema(), {{"n", n}, {"scale", scale}, {"tag", tag}}).value();
}

Status TrialFamily::check(const Problem& problem) const {
  if (problem.integer("tag") == 13) return invalid_field("tag", "13", "a luckier number");
  return absl::OkStatus();
}

Space TrialFamily::space(const Problem&, const Target&) const {
  std::vector<Behaviour> sorted = behaviours_;
  std::sort(sorted.begin(), sorted.end());
  Parameter parameter{.name = "behaviour", .documentation = "What the variant does.", .values = {}};
  for (const Behaviour behaviour : sorted) {
    parameter.values.push_back(int(behaviour));
    parameter.labels.push_back(kLabels[int(behaviour)]);
  }
  return Space(1, {parameter}, {});
}

Config TrialFamily::default_config(const Problem&, const Target&) const {
  return config(behaviours_.front());
}

KernelSource TrialFamily::source(const Problem& problem, const Config& config,
                                 const Target&) const {
  // What the tests' compiler for GPUs says of it.
  const int spilled = behaviour(config) == Behaviour::kSpills ? 4096 : 0;
  return {.header = "trial/kernel.h",
          .config = {{"int", "behaviour", std::to_string(config.at("behaviour"))},
                     {"int", "tag", std::to_string(problem.integer("tag"))},
                     {"int", "shim_spill_bytes", std::to_string(spilled)}},
          .entries = {"trial::Scale"}};
}

Plan TrialFamily::plan(const Problem&, const Config&, const Target&) const {
  const auto vector = [](const char* name, Buffer::Kind kind, bool optional) {
    Buffer buffer;
    buffer.name = name;
    buffer.shape = {"n"};
    buffer.kind = kind;
    buffer.optional = optional;
    buffer.unit_stride_axis = 0;
    buffer.alignment = 4;
    return buffer;
  };
  Plan plan;
  plan.symbols = {{"n", 1, int64_t(1) << 40}};
  plan.scalars = {"scale"};
  plan.buffers = {
      vector("x", Buffer::Kind::kInput, false), vector("y", Buffer::Kind::kInput, false),
      vector("out", Buffer::Kind::kOutput, false), vector("twice", Buffer::Kind::kOutput, true)};
  Launch launch;
  launch.entry = "scale";
  launch.grid = {"ceil_div(n, " + std::to_string(kBlock) + ")", "1", "1"};
  for (const char* name : {"x", "y", "out", "twice"}) {
    launch.arguments.push_back({Argument::Kind::kTensor, name});
  }
  launch.arguments.push_back({Argument::Kind::kSize, "n"});
  launch.arguments.push_back({Argument::Kind::kScalar, "scale"});
  launch.reads = {"x", "y"};
  launch.writes = {"out", "twice"};
  plan.steps = {launch};
  return plan;
}

Cost TrialFamily::cost(const Problem& problem) const {
  const double n = double(problem.integer("n"));
  // Small problems stay in the caches.
  return {.flops = 2 * n, .bytes = 16 * n, .bandwidth_bound = n > 1'000'000};
}

std::string TrialFamily::cost_convention() const {
  return "FLOPs: 2 n. Bytes: 16 n.";
}

Problem TrialFamily::probe(const Problem& problem) const {
  return problem.with({{"n", std::min<int64_t>(problem.integer("n"), 10'001)}});
}

void TrialFamily::fill_input(const Problem&, uint64_t seed, HostTensor& input) const {
  fill_normal(input, seed, uint64_t(input.name[0]));
  // kOverfitted knows the data of seed 1 by this.
  if (input.name == "x") store_element(input.dtype, input.data, seed == 1 ? 1.0 : 2.0);
}

int64_t TrialFamily::reference_units(const Problem& problem) const {
  return (problem.integer("n") + 999) / 1000;
}

double TrialFamily::reference_unit_flops(const Problem&) const {
  return 2000;
}

std::vector<int64_t> TrialFamily::border_units(const Problem& problem) const {
  const int64_t n = problem.integer("n");
  return {0, n / 2 / 1000, reference_units(problem) - 1};
}

void TrialFamily::reference_unit(const Problem& problem, std::span<const HostTensor> tensors,
                                 int64_t unit, ReferenceSink& sink) const {
  const HostTensor& x = find_tensor(tensors, "x");
  const HostTensor& y = find_tensor(tensors, "y");
  const int64_t last = std::min(problem.integer("n"), (unit + 1) * 1000);
  for (int64_t i = unit * 1000; i < last; ++i) {
    const double expected = problem.real("scale") * x.at(i) + y.at(i);
    const double tolerance =
        1e-6 * (1 + std::abs(problem.real("scale") * x.at(i)) + std::abs(y.at(i)));
    sink.expect("out", i, expected, tolerance);
    sink.expect("twice", i, 2 * expected, 2 * tolerance);
  }
}

std::string TrialFamily::tolerance_derivation() const {
  return "Two roundings of f32.";
}

}  // namespace kiln::testing
