// Tuning on a GPU, by way of the tests' driver and compiler (tests/support/driver_shim.cpp).

#include <algorithm>
#include <fstream>
#include <iterator>

#include "templates/registry.h"
#include "tests/support/shimmed_driver.h"
#include "tests/tuner/tuning_fixture.h"

namespace kiln::tuner {

using Catch::Contains;
using testing::ScopedVariable;
using testing::ShimmedDriver;

namespace {

// With everything that comes with it, in the order in which it has to be there.
struct Gpu {
  explicit Gpu(std::vector<Behaviour> behaviours)
      : contexts("KILN_SHIM_CONTEXTS", scratch / "contexts"),
        lost("KILN_SHIM_LOST", scratch / "lost"),
        tuning(std::move(behaviours), {}, "cuda:0") {}

  // How many processes made a context so far.
  size_t processes() const {
    std::ifstream file(scratch / "contexts");
    return size_t(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
  }
  void lose() const { std::ofstream(scratch / "lost"); }

  ShimmedDriver driver;
  testing::ScratchDirectory scratch;
  ScopedVariable contexts, lost;
  Tuning tuning;
};

}  // namespace

TEST_CASE("a problem is tuned on a GPU as on the host") {
  Gpu gpu({Behaviour::kSlow, Behaviour::kSlower, Behaviour::kFast});
  const CachePolicy cache = GENERATE(CachePolicy::kCold, CachePolicy::kWarm);
  TuneOptions options;
  options.cache = cache;
  const auto outcome = gpu.tuning.tune(50'001, options);
  INFO(outcome.status());
  REQUIRE(outcome.ok());
  const Measurement& winner = outcome->winner;
  CHECK(TrialFamily::behaviour(winner.config) == Behaviour::kFast);
  CHECK(winner.verification.seeds == 2);
  CHECK(winner.cache == cache);
  CHECK(winner.timing.samples >= 8);
  CHECK(winner.timing.peak_fraction > 0);
  CHECK_THAT(winner.diagnostics, Contains("at 1275 of 1410 MHz") && Contains("3.0 GiB"));
  CHECK(winner.toolchain == "NVRTC 12.8, CUDA driver 12.8");
  CHECK(outcome->artifact.target_kind == "cuda");
  const auto peaks = gpu.tuning.tuner->peaks();
  REQUIRE(peaks.has_value());
  CHECK(peaks->copy_bytes > 0);
  // The peaks', all the variants', the second seed's.
  CHECK(gpu.processes() == 3);
}

TEST_CASE("what a variant does wrong on a GPU is told, and costs that variant and a context") {
  const Rejection cases[] = {
      {Behaviour::kWrong, Verdict::kWrong, "out[25000] = "},
      {Behaviour::kNan, Verdict::kNotFinite, "out[25000] is NaN"},
      {Behaviour::kUnwritten, Verdict::kNotFinite, "out[25000] was never written"},
      {Behaviour::kBefore, Verdict::kOutOfBounds, "wrote 4 bytes before out"},
      {Behaviour::kAfter, Verdict::kOutOfBounds, "past the end of out"},
      {Behaviour::kInput, Verdict::kOutOfBounds, "wrote into its input at byte 2 of x"},
      {Behaviour::kSegfault, Verdict::kCrashed, "an illegal memory access was encountered"},
      {Behaviour::kAbort, Verdict::kCrashed, "an illegal instruction was encountered"},
      {Behaviour::kExit, Verdict::kCrashed, "exit code 0"},
      {Behaviour::kBroken, Verdict::kCompileFailed, "this variant does not compile"},
      {Behaviour::kSpills, Verdict::kFailed, "scale: a thread spills 4096 bytes"},
  };
  Gpu gpu(with_good_ones(cases));
  gpu.tuning.expect_rejections(cases);
}

TEST_CASE("a variant that is right only once on a GPU is rejected") {
  Gpu gpu({Behaviour::kSlow, Behaviour::kFlaky});
  const auto outcome = gpu.tuning.tune(50'000);
  INFO(outcome.status());
  REQUIRE(outcome.ok());
  CHECK(TrialFamily::behaviour(outcome->winner.config) == Behaviour::kSlow);
  CHECK(gpu.tuning.ledger.of(Behaviour::kFlaky).verdict == Verdict::kWrong);
}

TEST_CASE("a variant that never ends on a GPU is given up, and the search goes on") {
  Gpu gpu({Behaviour::kSlow, Behaviour::kLoop, Behaviour::kFast});
  const auto outcome = gpu.tuning.tune(1'000);
  INFO(outcome.status());
  REQUIRE(outcome.ok());
  CHECK(TrialFamily::behaviour(outcome->winner.config) == Behaviour::kFast);
  CHECK(gpu.tuning.ledger.of(Behaviour::kLoop).verdict == Verdict::kTimedOut);
}

TEST_CASE("a GPU that disappears fails what is tuned, and says so until it is back") {
  Gpu gpu({Behaviour::kSlow, Behaviour::kFast});
  REQUIRE(gpu.tuning.tune(1'000).ok());
  CHECK(gpu.tuning.tuner->availability().ok());
  gpu.lose();
  const Status lost = gpu.tuning.tune(1'001).status();
  CHECK(lost.code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(lost.message()), Contains("cuda:0") && Contains("unavailable"));
  CHECK(gpu.tuning.tuner->availability() == lost);
  // Not asked again at once.
  const size_t before = gpu.processes();
  CHECK(gpu.tuning.tune(1'002).status() == lost);
  CHECK(gpu.processes() == before);
}

TEST_CASE("a stand-in is compiled and checked on a GPU") {
  Gpu gpu({Behaviour::kFast, Behaviour::kWrong});
  const auto& family = gpu.tuning.family;
  const auto good = gpu.tuning.tuner->check(family, family.problem(100'000),
                                            TrialFamily::config(Behaviour::kFast), {});
  INFO(good.status());
  REQUIRE(good.ok());
  CHECK(good->measurement.verification.units > 0);
  const auto bad = gpu.tuning.tuner->check(family, family.problem(100'000),
                                           TrialFamily::config(Behaviour::kWrong), {});
  CHECK(bad.status().code() == absl::StatusCode::kFailedPrecondition);
}

// Attention by tensor maps of keys and values, on a GPU that has bulk copies. `shims`: folders of
// the tests' driver and compiler.
Status check_bulk_copies(const std::string& shims) {
  const ShimmedDriver driver;
  const ScopedVariable libraries("LD_LIBRARY_PATH", shims);
  const testing::ScratchDirectory scratch;
  auto device = devices::open_device(
      "cuda:0",
      {.sources = embedded_sources(), .cache_directory = scratch / "cache", .compiler = ""});
  if (!device.ok()) return device.status();
  CHECK((*device)->target().architecture == "sm_90a");
  TunerOptions options;
  options.worker_path = worker_path();
  const auto tuner = Tuner::start(**device, options);
  if (!tuner.ok()) return tuner.status();
  const auto all = families();
  const Family& family = **std::ranges::find(all, "attention_forward",
                                             [](const Family* f) { return f->schema().family(); });
  const auto problem = Problem::parse(family.schema(), {{"batch", "1"},
                                                        {"heads_q", "2"},
                                                        {"heads_kv", "2"},
                                                        {"seq_q", "70"},
                                                        {"seq_kv", "90"},
                                                        {"head_dim", "64"},
                                                        {"dtype", "bf16"}});
  if (!problem.ok()) return problem.status();
  auto values = family.default_config(*problem, (*device)->target()).values();
  const auto bulk = Config::parse("key_splits=1 block_m=64 block_n=32 warps=4 roles=1 copies=1");
  for (auto& [name, value] : values)
    value = bulk->find(name).value_or(value);
  return (*tuner)->check(family, *problem, Config(values), {}).status();
}

TEST_CASE("a GPU's bulk copies go by tensor maps that its driver encodes") {
  const std::string shims = std::string(KILN_BINARY_DIRECTORY) + "/tests/shims/";
  const Status checked = check_bulk_copies(shims + "hopper:" + shims + "works");
  INFO(checked);
  CHECK(checked.ok());
  const Status without = check_bulk_copies(shims + "mapless:" + shims + "works");
  CHECK_FALSE(without.ok());
  CHECK_THAT(std::string(without.message()), Contains("cuTensorMapEncodeTiled"));
}

}  // namespace kiln::tuner
