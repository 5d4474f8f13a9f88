#include "runtime/host/instruction_set.h"

#include <cpuid.h>

#include <array>
#include <cstdint>

namespace kiln::runtime {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"baseline", "avx2", "avx512", "avx512bf16"};

struct Leaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  Leaf result;
  __get_cpuid_count(leaf, subleaf, &result.eax, &result.ebx, &result.ecx, &result.edx);
  return result;
}

constexpr bool has(uint32_t word, std::initializer_list<int> bits) {
  for (int bit : bits) {
    if (!(word >> bit & 1)) return false;
  }
  return true;
}

// Register state that the operating system saves; a processor's features are usable only with it.
uint64_t saved_state() {
  if (!has(cpuid(1).ecx, {27})) return 0;  // OSXSAVE
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

constexpr uint64_t kYmmState = 0x6;         // SSE, AVX
constexpr uint64_t kZmmState = 0x6 | 0xe0;  // and opmask, upper halves, upper registers

InstructionSet detect() {
  const uint64_t state = saved_state();
  const Leaf basic = cpuid(1), extended = cpuid(7), more = cpuid(7, 1), amd = cpuid(0x80000001);

  const bool v3 = (state & kYmmState) == kYmmState &&
                  has(basic.ecx, {12, 22, 28, 29}) &&  // FMA, MOVBE, AVX, F16C
                  has(extended.ebx, {3, 5, 8}) &&      // BMI1, AVX2, BMI2
                  has(amd.ecx, {5});                   // LZCNT
  if (!v3) return InstructionSet::kBaseline;
  const bool v4 = (state & kZmmState) == kZmmState &&
                  has(extended.ebx, {16, 17, 28, 30, 31});  // AVX512 F, DQ, CD, BW, VL
  if (!v4) return InstructionSet::kAvx2;
  const bool bf16 = has(extended.ecx, {11}) && has(more.eax, {5});  // VNNI, BF16
  return bf16 ? InstructionSet::kAvx512Bf16 : InstructionSet::kAvx512;
}

}  // namespace

std::string_view name_of(InstructionSet set) {
  return kNames[size_t(set)];
}

std::optional<InstructionSet> parse_instruction_set(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return InstructionSet(i);
  }
  return std::nullopt;
}

InstructionSet best_instruction_set() {
  static const InstructionSet best = detect();
  return best;
}

bool can_run(InstructionSet set) {
  return set <= best_instruction_set();
}

}  // namespace kiln::runtime
