#include "benchmarks/selftest/device_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "absl/time/clock.h"
#include "benchmarks/selftest/time_box.h"
#include "devices/compile/compiled_kernels.h"
#include "devices/compile/program.h"
#include "engine/catalogue.h"
#include "templates/registry.h"

namespace kiln::selftest {
namespace {

using std::chrono::milliseconds;

constexpr int kOtherConfigs = 2;  // of a corner case, where there is a compiler
constexpr int kThreads = 4;       // that compile while another's variant runs
constexpr milliseconds kMostPerShape{20'000};
constexpr double kMostEmulatedFlops = 5e6;
constexpr size_t kMaxMessage = 2000;

// Measurements are the report's through the winners alone.
class NoSink final : public MeasurementSink {
 public:
  Status record(const Measurement&) override { return absl::OkStatus(); }
};

std::string message_of(const Status& status) {
  return std::string(status.message()).substr(0, kMaxMessage);
}

}  // namespace

nlohmann::json to_json(const std::vector<Failure>& failures) {
  nlohmann::json list = nlohmann::json::array();
  for (const Failure& failure : failures) {
    list.push_back(
        {{"problem", failure.problem}, {"config", failure.config}, {"message", failure.message}});
  }
  return list;
}

nlohmann::json to_json(const Correctness& result) {
  return {{"passed", result.passed},
          {"left_out", result.left_out},
          {"pruned", result.pruned},
          {"worst_error", result.worst_error},
          {"failures", to_json(result.failures)},
          {"families_without_kernels", result.families}};
}

StatusOr<std::unique_ptr<DeviceTest>> DeviceTest::open(const std::string& name,
                                                       const std::string& kernels,
                                                       const std::string& scratch) {
  std::error_code error;
  if (!kernels.empty()) {
    std::filesystem::create_directory_symlink(std::filesystem::absolute(kernels),
                                              devices::compiled_kernels_in(scratch), error);
    if (error) return absl::ErrnoToStatus(error.value(), scratch);
  }
  const auto& sources = embedded_sources();
  auto test = std::make_unique<DeviceTest>();
  KILN_ASSIGN_OR_RETURN(test->device_,
                        devices::open_device(name, {.sources = {sources.begin(), sources.end()},
                                                    .cache_directory = scratch,
                                                    .compiler = ""}));
  test->toolchain_ = test->device_->toolchain();
  KILN_ASSIGN_OR_RETURN(test->kernels_, KernelList::read(kernels, test->device_->target()));
  KILN_ASSIGN_OR_RETURN(
      test->tuner_,
      tuner::Tuner::start(*test->device_, {.worker_path = devices::find_helper("kiln-worker")}));
  return test;
}

// What the bundle brings, and what this machine can compile.
std::vector<Config> DeviceTest::configs_of(const Case& tested, int others) const {
  const Target& target = device_->target();
  std::vector<Config> configs = kernels_.of(tested, tested.family->space(tested.problem, target));
  if (!toolchain_.ok()) return configs;
  for (Config& config : chosen_configs(tested, target, others)) {
    if (std::find(configs.begin(), configs.end(), config) == configs.end()) {
      configs.push_back(std::move(config));
    }
  }
  return configs;
}

Correctness DeviceTest::verify(milliseconds time) {
  Correctness result;
  std::set<std::string> without;
  struct Work {
    Case tested;
    Config config;
  };
  std::map<size_t, std::vector<Work>> rounds;  // the first runs the defaults
  for (const Case& tested : corner_cases()) {
    if (!tested.family->supports(device_->target()).ok()) {
      without.insert(std::string(tested.family->name()));
      continue;
    }
    const bool too_large = device_->target().kind == "emulator" &&
                           tested.family->cost(tested.problem).flops > kMostEmulatedFlops;
    const std::vector<Config> configs =
        too_large ? std::vector<Config>() : configs_of(tested, kOtherConfigs);
    if (configs.empty()) ++result.left_out;
    for (size_t round = 0; round < configs.size(); ++round)
      rounds[round].push_back({tested, configs[round]});
  }
  result.families.assign(without.begin(), without.end());
  // Should time run out, every case was run.
  std::vector<Work> work;
  for (auto& [round, part] : rounds)
    std::move(part.begin(), part.end(), std::back_inserter(work));
  const TimeBox box(TimeBox::Clock::now() + time);
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  const auto run = [&] {
    for (size_t i; (i = next++) < work.size();) {
      if (box.is_over()) {
        const std::lock_guard lock(mutex);
        ++result.left_out;
        continue;
      }
      const Case& tested = work[i].tested;
      const auto checked =
          tuner_->check(*tested.family, tested.problem, work[i].config, box.token());
      const std::lock_guard lock(mutex);
      if (checked.ok()) {
        ++result.passed;
        result.worst_error =
            std::max(result.worst_error, checked->measurement.verification.worst_error);
      } else if (box.is_over()) {
        ++result.left_out;
      } else if (message_of(checked.status()).find(tuner::Tuner::kDoesNotFit) !=
                 std::string::npos) {
        ++result.pruned;
      } else {
        const std::string config = work[i].config.text();
        result.failures.push_back({tested.name(), config, message_of(checked.status())});
        fmt::print(stderr, "  FAILED {} {}\n    {}\n", tested.name(), config,
                   result.failures.back().message);
      }
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back(run);
  threads.clear();
  return result;
}

Tuned DeviceTest::tune(milliseconds time) {
  Tuned result;
  const TimeBox box(TimeBox::Clock::now() + time);
  const std::vector<Case> shapes = real_shapes(device_->target());
  for (size_t i = 0; i < shapes.size(); ++i) {
    const Case& shape = shapes[i];
    const Target& target = device_->target();
    if (!shape.family->supports(target).ok()) continue;
    tuner::TuneOptions options;
    const Space space = shape.family->space(shape.problem, target);
    options.first = kernels_.of(shape, space);
    // Every search begins with the default; without a compiler it must have come along, and nothing
    // but what did can be tried.
    const Config fallback = shape.family->default_config(shape.problem, target);
    const bool has_default = std::erase(options.first, fallback) > 0 || toolchain_.ok();
    if (!toolchain_.ok()) options.budget.evaluations = int64_t(options.first.size()) + 1;
    if (box.is_over() || !has_default) {
      ++result.left_out;
      continue;
    }
    options.budget.time = std::min(box.left() / int64_t(shapes.size() - i), kMostPerShape);
    NoSink sink;
    const auto outcome = tuner_->tune(
        *shape.family, shape.problem, options, sink, [](const tuner::Progress&) {}, box.token());
    if (!outcome.ok()) {
      if (box.is_over()) {
        ++result.left_out;
      } else {
        result.failures.push_back({shape.name(), "", message_of(outcome.status())});
        fmt::print(stderr, "  FAILED {}\n    {}\n", shape.name(), result.failures.back().message);
      }
      continue;
    }
    fmt::print(stderr, "  {:.3g} µs  {}  {}\n", outcome->winner.timing.median_ns * 1e-3,
               shape.name(), space.text(outcome->winner.config));
    db::WinnerRow& row = result.winners.emplace_back();
    row.problem = engine::reference_to(shape.problem);
    row.fingerprint = device_->fingerprint().text();
    row.measurement = outcome->winner;
    row.baseline = outcome->baseline;
    row.space_version = space.version();
    row.schema_version = shape.family->schema().version();
    row.evaluations = outcome->evaluations;
    row.created_unix_ns = absl::GetCurrentTimeNanos();
  }
  return result;
}

}  // namespace kiln::selftest
