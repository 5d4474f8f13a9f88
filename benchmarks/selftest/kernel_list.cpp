#include "benchmarks/selftest/kernel_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "devices/compile/cache_directory.h"
#include "devices/compile/compiled_kernels.h"
#include "devices/gpu/gpu_probe.h"
#include "tuner/compile_pool.h"

namespace kiln::selftest {
namespace {

using nlohmann::json;

constexpr int kOtherConfigs = 1;       // of a corner case
constexpr int kOtherShapeConfigs = 3;  // of a shape
constexpr uint64_t kStep = 0x9e3779b97f4a7c15;

std::string path_of(const std::string& directory, const Target& target) {
  return fmt::format("{}/lists/{}-{}.json", directory, target.kind, target.architecture);
}

}  // namespace

StatusOr<KernelList> KernelList::read(const std::string& directory, const Target& target) {
  KernelList list;
  const std::string path = path_of(directory, target);
  std::error_code ignored;
  if (directory.empty() || !std::filesystem::exists(path, ignored)) return list;
  KILN_ASSIGN_OR_RETURN(const std::string text, devices::read_file(path));
  const json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto broken = [&] { return absl::InvalidArgumentError(path + ": no list of kernels"); };
  if (!document.is_object()) return broken();
  for (const auto& [name, configs] : document.items()) {
    if (!configs.is_array()) return broken();
    for (const json& config : configs) {
      if (!config.is_string()) return broken();
      KILN_ASSIGN_OR_RETURN(Config parsed, Config::parse(config.get<std::string>()));
      list.configs_[name].push_back(std::move(parsed));
    }
  }
  return list;
}

Status KernelList::write(const std::string& directory, const Target& target) const {
  json document = json::object();
  for (const auto& [name, configs] : configs_) {
    for (const Config& config : configs)
      document[name].push_back(config.text());
  }
  const std::string path = path_of(directory, target);
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  return devices::write_file(path, document.dump(1) + "\n");
}

std::vector<Config> KernelList::of(const Case& tested, const Space& space) const {
  std::vector<Config> admitted;
  const auto found = configs_.find(tested.name());
  if (found == configs_.end()) return admitted;
  for (const Config& config : found->second) {
    if (space.check(config).ok()) admitted.push_back(config);
  }
  return admitted;
}

std::vector<Config> chosen_configs(const Case& tested, const Target& target, int others) {
  std::vector<Config> configs = {tested.family->default_config(tested.problem, target)};
  const Space space = tested.family->space(tested.problem, target);
  const auto points = space.enumerate();
  if (!points.ok() || points->empty()) return configs;
  for (int i = 1; i <= others; ++i) {
    // Far apart in the space, and the same wherever the space is.
    Config config = space.config((*points)[uint64_t(i) * kStep % points->size()]);
    if (std::find(configs.begin(), configs.end(), config) == configs.end()) {
      configs.push_back(std::move(config));
    }
  }
  return configs;
}

Status compile_kernels(const devices::Compiler& compiler, const std::string& directory) {
  KILN_RETURN_IF_ERROR(compiler.version().status());
  const Target& target = compiler.target();
  struct Work {
    const Case* tested;
    Config config;
  };
  std::vector<Work> work;
  const std::vector<Case> corners = corner_cases(), shapes = real_shapes(target);
  for (const auto* cases : {&corners, &shapes}) {
    for (const Case& tested : *cases) {
      if (!tested.family->supports(target).ok()) continue;
      const int others = cases == &corners ? kOtherConfigs : kOtherShapeConfigs;
      for (Config& config : chosen_configs(tested, target, others))
        work.push_back({&tested, std::move(config)});
    }
  }
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  std::vector<KernelSource> sources;
  for (const auto& [tested, config] : work)
    sources.push_back(tested->family->source(tested->problem, config, target));
  std::vector<tuner::Compiled> made = tuner::CompilePool(compiler, 0).compile(sources, 0, {});
  KernelList list;
  int kept = 0;
  for (size_t i = 0; i < work.size(); ++i) {
    const auto& [tested, config] = work[i];
    if (!made[i].artifact.ok()) {
      fmt::print(stderr, "{} {}: {}\n", tested->name(), config.text(),
                 std::string(made[i].artifact.status().message()).substr(0, 400));
      continue;
    }
    KILN_RETURN_IF_ERROR(devices::keep_compiled(
        directory, {.artifact = *std::move(made[i].artifact), .entries = made[i].entries}));
    list.add(*tested, config);
    ++kept;
  }
  if (target.kind == "cuda" || target.kind == "hip") {
    for (const devices::GpuProbe& probe : devices::gpu_probes(target)) {
      const auto compiled = compiler.compile(probe.source, {});
      if (compiled.ok()) KILN_RETURN_IF_ERROR(devices::keep_compiled(directory, *compiled));
    }
  }
  fmt::print("{} {}: {} kernels\n", target.kind, target.architecture, kept);
  return list.write(directory, target);
}

}  // namespace kiln::selftest
