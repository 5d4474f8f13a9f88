// kiln-selftest: docs/selftest.md.

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/time/time.h"
#include "benchmarks/selftest/device_test.h"
#include "benchmarks/selftest/time_box.h"
#include "engine/export.h"
#include "templates/registry.h"

namespace kiln::selftest {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

enum ExitCode : int { kPassed = 0, kFailed = 1, kUsage = 2, kNoDevice = 3 };

constexpr char kUsageText[] =
    "usage: kiln-selftest [--device NAME]... [--seconds N] [--report FILE] [--kernels DIR]\n"
    "       kiln-selftest --compile TARGET --kernels DIR\n"
    "  --device   cuda:0, hip:0, host, emulator:warp32, …; default every GPU that is found\n"
    "  --seconds  of all devices together, default 330\n"
    "  --report   where the JSON report is written, default selftest.json\n"
    "  --kernels  folder of compiled kernels\n"
    "  --compile  compiles the kernels of a target (sm_90a, gfx942, host:avx2, emulator:warp32)\n";
constexpr double kVerifying = 0.5;  // of a device's time

struct Options {
  std::vector<std::string> devices;
  std::string report = "selftest.json";
  std::string kernels;
  std::string compile;
  int seconds = 330;
};

// False: wrong, or asked for help.
bool parse(int count, char** words, Options& options) {
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (i + 1 == count) return false;
    const std::string value = words[++i];
    if (word == "--device") {
      options.devices.push_back(value);
    } else if (word == "--report") {
      options.report = value;
    } else if (word == "--kernels") {
      options.kernels = value;
    } else if (word == "--compile") {
      options.compile = value;
    } else if (word != "--seconds" || !absl::SimpleAtoi(value, &options.seconds) ||
               options.seconds < 1) {
      return false;
    }
  }
  return options.compile.empty() || !options.kernels.empty();
}

// A folder that is removed in the end.
struct Scratch {
  std::string path;
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "kiln-selftest-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path = name;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
};

std::vector<std::string> gpus() {
  std::vector<std::string> found;
  for (const std::string& name : devices::device_names()) {
    if (name.starts_with("cuda:") || name.starts_with("hip:")) found.push_back(name);
  }
  return found;
}

std::string now_text() {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone());
}

// The report of one device; winners go to `winners`.
json test_device(const std::string& name, const Options& options, milliseconds time,
                 std::vector<db::WinnerRow>& winners) {
  fmt::print(stderr, "{}\n", name);
  json report = {{"name", name}, {"passed", false}};
  const Scratch scratch;
  const auto opened = DeviceTest::open(name, options.kernels, scratch.path);
  if (!opened.ok()) {
    report["error"] = std::string(opened.status().message());
    fmt::print(stderr, "  {}\n", std::string(opened.status().message()));
    return report;
  }
  DeviceTest& test = **opened;
  report["fingerprint"] = test.device().fingerprint().text();
  report["toolchain"] =
      test.toolchain().ok() ? *test.toolchain() : std::string(test.toolchain().status().message());
  const auto part = milliseconds(int64_t(double(time.count()) * kVerifying));
  const auto start = TimeBox::Clock::now();
  const Correctness correctness = test.verify(part);
  fmt::print(stderr, "  {} variants are right, {} are wrong, {} left out\n", correctness.passed,
             correctness.failures.size(), correctness.left_out);
  report["correctness"] = to_json(correctness);
  bool passed = correctness.failures.empty() && correctness.passed > 0;
  // An emulated GPU says nothing about time.
  if (test.device().target().kind != "emulator") {
    const auto used = std::chrono::duration_cast<milliseconds>(TimeBox::Clock::now() - start);
    Tuned tuned = test.tune(std::max(time - used, milliseconds(1)));
    report["tuning"] = {{"tuned", tuned.winners.size()},
                        {"left_out", tuned.left_out},
                        {"failures", to_json(tuned.failures)}};
    passed = passed && tuned.failures.empty();
    std::move(tuned.winners.begin(), tuned.winners.end(), std::back_inserter(winners));
  }
  report["passed"] = passed;
  return report;
}

int compile(const Options& options) {
  const Scratch scratch;
  const auto& sources = embedded_sources();
  const devices::CompilerOptions compiler_options{
      .sources = {sources.begin(), sources.end()}, .cache_directory = scratch.path, .compiler = ""};
  // Emulated GPUs are devices, and no targets to compile for elsewhere.
  Status done;
  if (options.compile.starts_with("emulator:")) {
    const auto device = devices::open_device(options.compile, compiler_options);
    done = device.ok() ? compile_kernels((*device)->compiler(), options.kernels) : device.status();
  } else {
    const auto compiler = devices::open_compiler(options.compile, compiler_options);
    done = compiler.ok() ? compile_kernels(**compiler, options.kernels) : compiler.status();
  }
  if (done.ok()) return kPassed;
  fmt::print(stderr, "kiln-selftest: {}: {}\n", options.compile, std::string(done.message()));
  return kFailed;
}

void tell_why_there_is_none() {
  for (const char* name : {"cuda:0", "hip:0"}) {
    const auto device = devices::open_device(name, {});
    if (!device.ok()) fmt::print(stderr, "{}: {}\n", name, std::string(device.status().message()));
  }
}

int run(Options options) {
  if (options.devices.empty()) options.devices = gpus();
  if (options.devices.empty()) {
    tell_why_there_is_none();
    return kNoDevice;
  }
  const auto catalogue = engine::Catalogue::embedded("");
  if (!catalogue.ok()) return kFailed;
  json report = {{"schema", "kiln.selftest.v1"}, {"started_at", now_text()}};
  std::vector<db::WinnerRow> winners;
  bool passed = true;
  for (const std::string& name : options.devices) {
    const milliseconds time = milliseconds(1000) * options.seconds / options.devices.size();
    report["devices"].push_back(test_device(name, options, time, winners));
    passed = passed && report["devices"].back()["passed"].get<bool>();
  }
  report["passed"] = passed;
  report["ended_at"] = now_text();
  const auto document = engine::export_document(
      winners, *catalogue, [](const std::string&) -> const Target* { return nullptr; });
  if (document.ok()) report["export"] = json::parse(*document);
  std::ofstream file(options.report);
  file << report.dump(2, ' ', false, json::error_handler_t::replace) << "\n";
  file.close();
  if (!file) {
    fmt::print(stderr, "kiln-selftest: {} could not be written\n", options.report);
    return kFailed;
  }
  fmt::print(stderr, "{}; report: {}\n", passed ? "passed" : "FAILED", options.report);
  return passed ? kPassed : kFailed;
}

}  // namespace
}  // namespace kiln::selftest

int main(int count, char** words) {
  kiln::selftest::Options options;
  if (!kiln::selftest::parse(count, words, options)) {
    std::cerr << kiln::selftest::kUsageText;
    return count == 2 && std::strcmp(words[1], "--help") == 0 ? 0 : kiln::selftest::kUsage;
  }
  return options.compile.empty() ? kiln::selftest::run(options) : kiln::selftest::compile(options);
}
