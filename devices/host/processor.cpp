#include "devices/host/processor.h"

#include <cpuid.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "runtime/host/cgroup.h"
#include "runtime/host/placement.h"
#include "runtime/host/thread_pool.h"

namespace kiln::devices {
namespace {

using runtime::InstructionSet;

std::string first_line(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

// "32768K" or "32M", as sysfs writes sizes.
int64_t parse_size(std::string text) {
  int64_t unit = 1;
  if (text.ends_with('K')) unit = 1 << 10;
  if (text.ends_with('M')) unit = 1 << 20;
  if (unit > 1) text.pop_back();
  int64_t size = 0;
  return absl::SimpleAtoi(text, &size) && size > 0 ? size * unit : 0;
}

Caches caches_from_system(const std::string& root) {
  Caches caches;
  std::map<std::string, int64_t> last_level;  // by the processors that share it
  int deepest = 0;
  for (int cpu : runtime::allowed_cpus()) {
    for (int index = 0;; ++index) {
      const std::string folder =
          fmt::format("{}/sys/devices/system/cpu/cpu{}/cache/index{}/", root, cpu, index);
      int level = 0;
      if (!absl::SimpleAtoi(first_line(folder + "level"), &level)) break;
      const int64_t size = parse_size(first_line(folder + "size"));
      const bool data = first_line(folder + "type") != "Instruction";
      if (!data || size == 0) continue;
      if (level == 1) caches.l1_data = size;
      if (level == 2) caches.l2 = size;
      if (level < deepest) continue;
      if (level > deepest) last_level.clear();
      deepest = level;
      last_level[first_line(folder + "shared_cpu_map")] = size;
    }
  }
  for (const auto& [sharers, size] : last_level)
    caches.last += size;
  return caches;
}

// Deterministic cache parameters: leaf 4 (Intel) and leaf 0x8000001D (AMD) have the same form.
Caches caches_from_processor() {
  Caches caches;
  for (uint32_t leaf : {4u, 0x8000001du}) {
    for (uint32_t index = 0; index < 16; ++index) {
      uint32_t a = 0, b = 0, c = 0, d = 0;
      if (!__get_cpuid_count(leaf, index, &a, &b, &c, &d)) break;
      const uint32_t type = a & 31, level = a >> 5 & 7;
      if (type == 0) break;
      if (type == 2) continue;  // instructions
      const int64_t size =
          int64_t((b >> 22) + 1) * ((b >> 12 & 0x3ff) + 1) * ((b & 0xfff) + 1) * (int64_t(c) + 1);
      if (level == 1) caches.l1_data = size;
      if (level == 2) caches.l2 = size;
      if (level >= 2) caches.last = size;
    }
    if (caches.l1_data) break;
  }
  return caches;
}

}  // namespace

std::string processor_model() {
  std::array<uint32_t, 12> words = {};
  for (uint32_t i = 0; i < 3; ++i) {
    __get_cpuid(0x80000002 + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2],
                &words[4 * i + 3]);
  }
  char text[sizeof words + 1] = {};
  std::memcpy(text, words.data(), sizeof words);
  std::string brand = text;
  absl::RemoveExtraAsciiWhitespace(&brand);
  for (char& c : brand) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c)) || c == '/') c = '-';
  }
  uint32_t a = 0, b = 0, c = 0, d = 0;
  __get_cpuid(1, &a, &b, &c, &d);
  uint32_t family = a >> 8 & 15, model = a >> 4 & 15;
  if (family == 6 || family == 15) model |= a >> 12 & 0xf0;
  if (family == 15) family += a >> 20 & 255;
  return fmt::format("{} (family {} model {})", brand.empty() ? "x86-64" : brand, family, model);
}

Caches processor_caches(const std::string& root) {
  Caches caches = caches_from_system(root);
  const Caches stated = caches_from_processor();
  if (!caches.l1_data) caches.l1_data = stated.l1_data;
  if (!caches.l2) caches.l2 = stated.l2;
  if (!caches.last) caches.last = stated.last;
  return caches;
}

int64_t memory_for_problems() {
  int64_t bytes = int64_t(sysconf(_SC_PHYS_PAGES)) * int64_t(sysconf(_SC_PAGESIZE));
  if (std::optional<int64_t> limit = runtime::Cgroup().memory_limit()) {
    bytes = std::min(bytes, *limit);
  }
  return bytes / 2;
}

Fingerprint host_fingerprint(InstructionSet set) {
  return {.kind = "host",
          .model = processor_model(),
          .architecture = "x86_64",
          .instruction_set = std::string(name_of(set)),
          .units = runtime::usable_cpus()};
}

Target host_target(InstructionSet set) {
  Target target;
  target.kind = "host";
  target.architecture = std::string(name_of(set));
  const bool avx512 = set >= InstructionSet::kAvx512;
  target.vector_lanes = avx512 ? 16 : set == InstructionSet::kAvx2 ? 8 : 4;
  target.vector_registers = avx512 ? 32 : 16;
  target.bf16_dot = set == InstructionSet::kAvx512Bf16;
  target.threads = runtime::usable_cpus();
  const Caches caches = processor_caches();
  if (caches.l1_data) target.l1_bytes = caches.l1_data;
  if (caches.l2) target.l2_bytes = caches.l2;
  if (caches.last) target.llc_bytes = caches.last;
  target.memory_bytes = memory_for_problems();
  return target;
}

}  // namespace kiln::devices
