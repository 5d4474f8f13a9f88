#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>

#include "runtime/hip/hip_driver.h"

namespace kiln::runtime {
namespace {

std::map<std::string, int64_t> read_properties(const std::filesystem::path& file) {
  std::map<std::string, int64_t> properties;
  std::ifstream stream(file);
  std::string name;
  for (int64_t value; stream >> name >> value;)
    properties[name] = value;
  return properties;
}

// 90402 is gfx942, 90010 gfx90a, 110000 gfx1100: the last two parts are single hexadecimal digits.
std::string architecture_of(int64_t version) {
  return fmt::format("gfx{}{:x}{:x}", version / 10000, version / 100 % 100, version % 100);
}

int64_t l2_bytes_of(const std::filesystem::path& node) {
  constexpr int64_t kKiB = 1 << 10;
  int64_t best = 0;
  std::error_code error;
  for (const auto& cache : std::filesystem::directory_iterator(node / "caches", error)) {
    auto properties = read_properties(cache.path() / "properties");
    if (properties["level"] == 2) best = std::max(best, properties["size"] * kKiB);
  }
  return best;
}

}  // namespace

std::vector<KfdNode> kfd_nodes(const std::string& root) {
  const std::filesystem::path folder = root + "/sys/class/kfd/kfd/topology/nodes";
  std::error_code error;
  std::vector<std::pair<int, std::filesystem::path>> numbered;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    numbered.emplace_back(std::atoi(entry.path().filename().c_str()), entry.path());
  }
  std::ranges::sort(numbered);
  std::vector<KfdNode> nodes;
  for (const auto& [number, path] : numbered) {
    auto properties = read_properties(path / "properties");
    const int64_t simds = properties["simd_count"];
    if (simds == 0) continue;  // a processor
    nodes.push_back({.architecture = architecture_of(properties["gfx_target_version"]),
                     .compute_units = int(simds / std::max<int64_t>(properties["simd_per_cu"], 1)),
                     .scratchpad_bytes = properties["lds_size_in_kb"] << 10,
                     .l2_bytes = l2_bytes_of(path)});
  }
  return nodes;
}

}  // namespace kiln::runtime
